/*
 * foresee.h - what a document's size and first bytes tell of its reading, before money is spent.
 *
 * Nothing is parsed here: a few bytes are compared with signatures.  What passes may still
 * turn out to be unreadable; what is refused here would be refused by extract_text(), too.
 */
#pragma once

#include "extract/extract.h"

/*
 * False, with VF_ERROR_BAD_INPUT and what would help as its second line, when the document can
 * never be read: it is empty, of an unsupported kind, or a plain text longer than the limit.
 */
bool extract_foresee(const Document *document, const ExtractOptions *options, GError **error);
