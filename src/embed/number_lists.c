#include "embed/number_lists.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* A double holds integers of 53 bits and these powers of ten exactly. */
#define EXACT_INTEGER (G_GUINT64_CONSTANT(1) << 53)
#define EXACT_POWER 22

/* More digits than this are left to strtod(). */
#define MOST_DIGITS 19

#define LONGEST_NUMBER 400

static const double POWERS[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                               1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                               1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

typedef struct
{
    const char *at;
    const char *end;
} Scan;

/* A number as its letters tell it. */
typedef struct
{
    guint64 digits; /* meaningless when there are more than MOST_DIGITS */
    gsize count;
    int exponent;
    bool negative;
} Decimal;

static char
peek(const Scan *scan)
{
    if (scan->at >= scan->end)
        return '\0';
    return *scan->at;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void
skip_space(Scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
        scan->at++;
}

/* How many there are. */
static gsize
read_digits(Scan *scan, Decimal *decimal)
{
    const char *start = scan->at;
    guint64 digits = decimal->digits;

    for (; is_digit(peek(scan)); scan->at++)
        digits = 10 * digits + (guint64) (*scan->at - '0');
    decimal->digits = digits;
    decimal->count += (gsize) (scan->at - start);
    return (gsize) (scan->at - start);
}

static bool
read_exponent(Scan *scan, Decimal *decimal)
{
    int exponent = 0;

    scan->at++;
    const bool negative = peek(scan) == '-';
    if (negative || peek(scan) == '+')
        scan->at++;
    if (!is_digit(peek(scan)))
        return false;
    for (; is_digit(peek(scan)); scan->at++)
        exponent = MIN(10 * exponent + (*scan->at - '0'), 100000);
    decimal->exponent += negative ? -exponent : exponent;
    return true;
}

/* JSON's grammar: no '+', no leading 0, digits on both sides of the point. */
static bool
read_decimal(Scan *scan, Decimal *decimal)
{
    *decimal = (Decimal){.negative = peek(scan) == '-'};
    if (decimal->negative)
        scan->at++;
    const bool zero = peek(scan) == '0';
    const gsize whole = read_digits(scan, decimal);
    if (whole == 0 || (zero && whole > 1))
        return false;
    if (peek(scan) == '.')
    {
        scan->at++;
        const gsize fraction = read_digits(scan, decimal);
        if (fraction == 0)
            return false;
        decimal->exponent = -(int) MIN(fraction, LONGEST_NUMBER);
    }
    return (peek(scan) != 'e' && peek(scan) != 'E') || read_exponent(scan, decimal);
}

static bool
is_exact(const Decimal *decimal)
{
    return decimal->count <= MOST_DIGITS && decimal->digits <= EXACT_INTEGER &&
           ABS(decimal->exponent) <= EXACT_POWER;
}

static double
slow_value(const char *start, gsize length)
{
    char text[LONGEST_NUMBER + 1];
    memcpy(text, start, length);
    text[length] = '\0';
    return g_ascii_strtod(text, NULL);
}

/* The nearest double, as strtod() finds it, and of that the nearest float. */
static bool
read_number(Scan *scan, float *number)
{
    const char *start = scan->at;
    Decimal decimal;

    if (!read_decimal(scan, &decimal) || scan->at - start > LONGEST_NUMBER)
        return false;
    double value = 0;
    if (!is_exact(&decimal))
        value = fabs(slow_value(start, (gsize) (scan->at - start)));
    else if (decimal.exponent < 0)
        value = (double) decimal.digits / POWERS[-decimal.exponent];
    else
        value = (double) decimal.digits * POWERS[decimal.exponent];
    const float magnitude = value <= FLT_MAX ? (float) value : INFINITY;
    *number = decimal.negative ? -magnitude : magnitude;
    return true;
}

/* From '[' to ']'; false when there is anything but numbers in between. */
static bool
read_list(Scan *scan, GArray *values)
{
    do
    {
        float number = 0;
        scan->at++; /* '[' or ',' */
        skip_space(scan);
        if (!read_number(scan, &number))
            return false;
        g_array_append_val(values, number);
        skip_space(scan);
    } while (peek(scan) == ',');
    if (peek(scan) != ']')
        return false;
    scan->at++;
    return true;
}

static void
take_list(Scan *scan, NumberLists *lists)
{
    const char *start = scan->at;
    const guint before = lists->values->len;

    if (read_list(scan, lists->values))
    {
        const gsize end = lists->values->len;
        g_string_append_printf(lists->text, "[%u]", lists->ends->len);
        g_array_append_val(lists->ends, end);
        return;
    }
    g_array_set_size(lists->values, before);
    scan->at = start + 1;
    g_string_append_c(lists->text, '[');
}

/* From '"' to '"'; lists in texts are none. */
static void
copy_text(Scan *scan, GString *text)
{
    const char *start = scan->at++;
    while (scan->at < scan->end && *scan->at != '"')
        scan->at += *scan->at == '\\' && scan->end - scan->at > 1 ? 2 : 1;
    if (scan->at < scan->end)
        scan->at++;
    g_string_append_len(text, start, scan->at - start);
}

void
number_lists_take(const char *bytes, gsize length, NumberLists *lists)
{
    Scan scan = {bytes, bytes + length};

    *lists = (NumberLists){
        g_string_new(NULL), g_array_new(FALSE, FALSE, sizeof(float)),
        g_array_new(FALSE, FALSE, sizeof(gsize))};
    while (scan.at < scan.end)
    {
        if (*scan.at == '"')
            copy_text(&scan, lists->text);
        else if (*scan.at == '[')
            take_list(&scan, lists);
        else
            g_string_append_c(lists->text, *scan.at++);
    }
}

void
number_lists_clear(NumberLists *lists)
{
    if (lists->text == NULL)
        return;
    g_string_free(lists->text, TRUE);
    g_array_unref(lists->values);
    g_array_unref(lists->ends);
    *lists = (NumberLists){0};
}

/* Every list of nothing but numbers was taken out, so that one in the rest is a place. */
const float *
number_lists_get(const NumberLists *lists, const Json *value, gsize *count)
{
    const Json *place = json_array_get(value, 0);
    if (json_array_size(value) != 1 || !json_is_integer(place))
        return NULL;
    const gsize list = (gsize) json_integer_value(place);
    if (list >= lists->ends->len)
        return NULL;

    const gsize start = list == 0 ? 0 : g_array_index(lists->ends, gsize, list - 1);
    *count = g_array_index(lists->ends, gsize, list) - start;
    return &g_array_index(lists->values, float, start);
}
