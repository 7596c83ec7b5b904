/*
 * marks.h - sentence ends of scripts that Punkt does not know.
 *
 * Chinese and Japanese, Hindi, Arabic, Armenian, Amharic, Burmese and others have
 * marks of their own (。 ！ ？ ｡ । ؟ ։ ። ။ …: Unicode's Sentence_Terminal), mostly without
 * a space behind them.
 */
#pragma once

/*
 * Where the next sentence begins that follows such a mark: behind the marks and
 * closing brackets that follow it and the spaces behind these.  NULL when there is none.
 */
const char *marks_next_start(const char *p, const char *end);
