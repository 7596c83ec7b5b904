#include "compare/row_sums.h"

guint64
row_sum_parse(const char *number)
{
    const bool is_negative = *number == '-';
    guint64 sum = 0;

    for (const char *digit = number + (is_negative ? 1 : 0); g_ascii_isdigit(*digit); digit++)
        sum = sum * 10 + (guint64) g_ascii_digit_value(*digit);
    return is_negative ? 0 - sum : sum;
}

void
row_sums_add(RowSums *sums, const RowSums *more)
{
    for (int i = 0; i < ROW_BUCKETS; i++)
    {
        sums->buckets[i].rows += more->buckets[i].rows;
        sums->buckets[i].sums[0] += more->buckets[i].sums[0];
        sums->buckets[i].sums[1] += more->buckets[i].sums[1];
    }
    sums->rows += more->rows;
}

static bool
bucket_equal(const RowBucket *left, const RowBucket *right)
{
    return left->rows == right->rows && left->sums[0] == right->sums[0] &&
           left->sums[1] == right->sums[1];
}

bool
row_sums_equal(const RowSums *left, const RowSums *right)
{
    for (int i = 0; i < ROW_BUCKETS; i++)
        if (!bucket_equal(&left->buckets[i], &right->buckets[i]))
            return false;
    return true;
}

GArray *
row_sums_different(const RowSums *left, const RowSums *right)
{
    GArray *different = g_array_new(FALSE, FALSE, sizeof(int));
    for (int i = 0; i < ROW_BUCKETS; i++)
        if (!bucket_equal(&left->buckets[i], &right->buckets[i]))
            g_array_append_val(different, i);
    return different;
}
