/*
 * remedy.h - what a person can do about a document that could not be read.
 */
#pragma once

/* By the first words of the reading's error, such as "too large: …"; NULL when nothing helps. */
const char *extract_remedy(const char *problem);
