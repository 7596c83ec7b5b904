/*
 * main.c - the table of commands, and the exit status.
 */
#include <stdio.h>

int
main(void)
{
    puts("vecferry " VECFERRY_VERSION);
    return 0;
}
