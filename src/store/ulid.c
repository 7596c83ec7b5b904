#include "store/ulid.h"

#include <string.h>
#include <sys/random.h>

static const char ALPHABET[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

enum
{
    TIME_CHARACTERS = 10,
    CHANCE_BYTES = 10,
};

static void
encode_time(char *text, guint64 ms)
{
    for (int i = TIME_CHARACTERS - 1; i >= 0; i--, ms >>= 5)
        text[i] = ALPHABET[ms & 31];
}

/* 80 bits, five at a time. */
static void
encode_chance(char *text, const guint8 *bytes)
{
    guint32 bits = 0;
    int held = 0;

    for (int i = 0; i < CHANCE_BYTES; i++)
    {
        bits = (bits << 8) | bytes[i];
        for (held += 8; held >= 5; held -= 5)
            *text++ = ALPHABET[(bits >> (held - 5)) & 31];
    }
}

Ulid
ulid_now(void)
{
    Ulid ulid = {{0}};
    guint8 chance[CHANCE_BYTES];

    if (getrandom(chance, sizeof chance, 0) != sizeof chance)
        g_error("the kernel gave no random bytes");
    encode_time(ulid.text, (guint64) (g_get_real_time() / 1000));
    encode_chance(ulid.text + TIME_CHARACTERS, chance);
    return ulid;
}

gint64
ulid_time_ms(const char *text)
{
    gint64 ms = 0;

    if (*text > '7') /* more than 48 bits */
        return -1;
    for (int i = 0; i < TIME_CHARACTERS; i++)
    {
        const char *digit = text[i] == '\0' ? NULL : strchr(ALPHABET, text[i]);
        if (digit == NULL)
            return -1;
        ms = (ms << 5) | (digit - ALPHABET);
    }
    return ms;
}
