/*
 * main.c - the table of commands, and the exit status.
 */
#include "extract/extract.h"

#include <stdio.h>
#include <string.h>

int
main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "extract-child") == 0)
        return extract_child_main(argc - 1, argv + 1);
    puts("vecferry " VECFERRY_VERSION);
    return 0;
}
