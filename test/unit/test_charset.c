#include "extract/charset.h"

#include <string.h>

typedef struct
{
    const char *language;
    const char *text;
    const char *charsets[6];
} Sample;

/* As short as a careless user's note. */
static const Sample SAMPLES[] = {
    {"german",
     "Die Brücke über den Fluß wird im März für größere Fahrzeuge gesperrt.",
     {"UTF-8", "WINDOWS-1252", "UTF-16LE", "UTF-16BE"}},
    {"french",
     "L'été dernier, nous avons mangé des crêpes près de la forêt à Noël.",
     {"UTF-8", "WINDOWS-1252", "UTF-16LE", "UTF-16BE"}},
    {"polish",
     "Żółta łódź płynęła powoli, a rybacy śpiewali stare pieśni o miłości i śmierci.",
     {"UTF-8", "WINDOWS-1250", "ISO-8859-2", "UTF-16LE", "UTF-16BE"}},
    {"czech",
     "Příliš žluťoučký kůň běžel přes zelenou louku a nikdo ho nemohl zastavit.",
     {"UTF-8", "WINDOWS-1250", "ISO-8859-2", "UTF-16LE"}},
    {"russian",
     "Поезд пришёл вовремя, и все пассажиры быстро вышли на холодную улицу.",
     {"UTF-8", "WINDOWS-1251", "KOI8-R", "IBM866", "UTF-16LE", "UTF-16BE"}},
    {"greek",
     "Το τρένο έφτασε στην ώρα του και όλοι βγήκαν γρήγορα στον κρύο δρόμο.",
     {"UTF-8", "WINDOWS-1253", "ISO-8859-7", "UTF-16LE"}},
    {"hebrew",
     "הרכבת הגיעה בזמן וכל הנוסעים יצאו במהירות אל הרחוב הקר והרטוב.",
     {"UTF-8", "WINDOWS-1255", "UTF-16LE"}},
    {"arabic",
     "وصل القطار في موعده وخرج جميع الركاب بسرعة إلى الشارع البارد.",
     {"UTF-8", "WINDOWS-1256", "UTF-16LE"}},
    {"thai",
     "รถไฟมาถึงตรงเวลา และผู้โดยสารทุกคนก็ออกไปที่ถนนอย่างรวดเร็ว",
     {"UTF-8", "TIS-620", "UTF-16LE"}},
    {"japanese",
     "電車は時間どおりに着き、乗客はみんな急いで寒い通りに出て行きました。",
     {"UTF-8", "CP932", "EUC-JP", "ISO-2022-JP", "UTF-16LE", "UTF-16BE"}},
    {"chinese",
     "火车准时到达，所有的乘客都很快地走到寒冷的街上去了。\n他们都很高兴。\n",
     {"UTF-8", "GB18030", "GBK", "UTF-16LE", "UTF-16BE"}},
    {"taiwanese",
     "火車準時到達，所有的乘客都很快地走到寒冷的街上去了。\n他們都很高興。\n",
     {"UTF-8", "BIG5", "UTF-16LE", "UTF-16BE"}},
    {"korean",
     "기차는 제시간에 도착했고 모든 승객은 추운 거리로 빨리 나갔습니다.",
     {"UTF-8", "EUC-KR", "UTF-16LE", "UTF-16BE"}},
};

static void
assert_decodes(const char *bytes, size_t length, const char *declared, const char *expected)
{
    g_autofree char *charset = charset_of(bytes, length, declared);
    GString *text = charset_decode(bytes, length, charset);
    g_assert_cmpstr(text->str, ==, expected);
    g_string_free(text, TRUE);
}

static void
test_finds_the_charset(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(SAMPLES); i++)
        for (const char *const *charset = SAMPLES[i].charsets;
             charset < SAMPLES[i].charsets + 6 && *charset != NULL; charset++)
        {
            gsize length = 0;
            g_autofree char *bytes =
                g_convert(SAMPLES[i].text, -1, *charset, "UTF-8", NULL, &length, NULL);
            g_assert_nonnull(bytes);
            g_test_message("%s in %s", SAMPLES[i].language, *charset);
            assert_decodes(bytes, length, NULL, SAMPLES[i].text);
            g_assert_false(charset_is_binary(bytes, length));
        }
}

static void
test_of_nothing_is_utf8(void)
{
    g_autofree char *charset = charset_of("", 0, NULL);
    g_assert_cmpstr(charset, ==, "UTF-8");
    assert_decodes("", 0, NULL, "");
    g_assert_false(charset_is_binary("", 0));
}

static void
test_believes_a_mark_first(void)
{
    assert_decodes("\xEF\xBB\xBFgr\xC3\xBC\xC3\x9F", 9, "windows-1252", "grüß");
    assert_decodes("\xFF\xFEg\0r\0\xFC\0", 8, "utf-8", "grü");
    assert_decodes("\xFE\xFF\0g\0r\0\xFC", 8, NULL, "grü");
    assert_decodes("\xFF\xFE\0\0g\0\0\0", 8, NULL, "g");
}

static void
test_believes_a_declaration_that_decodes(void)
{
    assert_decodes("\xB1", 1, "iso-8859-2", "ą");
    assert_decodes("\xB1", 1, "windows-1252", "±");
    assert_decodes("\x80", 1, "ISO-8859-1", "€");
}

static void
test_does_not_believe_a_declaration_with_errors(void)
{
    assert_decodes(
        "stra\xDF"
        "e",
        6, "utf-8", "straße");
    assert_decodes("gr\xC3\xBC\xC3\x9F", 6, "us-ascii", "grüß");
    assert_decodes("gr\xC3\xBC\xC3\x9F", 6, "no-such-charset", "grüß");
}

/* "+ADw-script+AD4-" would become a tag. */
static void
test_never_believes_utf7(void)
{
    assert_decodes("+ADw-\xFC", 6, "UTF-7", "+ADw-ü");
}

static void
test_nearly_utf8_is_utf8(void)
{
    assert_decodes("déjà vu à l'été\0.", 22, NULL, "déjà vu à l'été.");

    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i < 40; i++)
        g_string_append(text, "é ");
    g_autofree char *expected = g_strconcat(text->str, "\uFFFD", NULL);
    g_string_append_c(text, '\xC3');
    assert_decodes(text->str, text->len, "windows-1252", expected);
}

static void
test_reads_declarations_in_the_document(void)
{
    const char *const documents[] = {
        "<html><meta charset=Shift_JIS>",
        "<meta http-equiv=content-type content='text/html; charset=Shift_JIS'>",
        "<?xml version=\"1.0\" encoding=\"Shift_JIS\"?><html><meta charset=utf-8>",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(documents); i++)
    {
        g_autofree char *declared = charset_declared(documents[i], strlen(documents[i]));
        g_assert_cmpstr(declared, ==, "Shift_JIS");
    }
    g_assert_null(charset_declared("no word of it", 13));
}

static void
test_decodes_without_nul(void)
{
    assert_decodes("a\0b", 3, "utf-8", "ab");
}

static void
test_knows_binary_data(void)
{
    char bytes[1024];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char) (i * 37);
    g_assert_true(charset_is_binary(bytes, sizeof(bytes)));
    g_assert_true(charset_is_binary(
        "\x7F"
        "ELF\x02\x01\x01\0\0\0\0\0",
        12));
    g_assert_false(charset_is_binary("caf\xE9", 4));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/charset/finds the charset", test_finds_the_charset);
    g_test_add_func("/charset/of nothing is UTF-8", test_of_nothing_is_utf8);
    g_test_add_func("/charset/believes a mark first", test_believes_a_mark_first);
    g_test_add_func(
        "/charset/believes a declaration that decodes", test_believes_a_declaration_that_decodes);
    g_test_add_func(
        "/charset/does not believe a declaration with errors",
        test_does_not_believe_a_declaration_with_errors);
    g_test_add_func("/charset/nearly UTF-8 is UTF-8", test_nearly_utf8_is_utf8);
    g_test_add_func("/charset/never believes UTF-7", test_never_believes_utf7);
    g_test_add_func(
        "/charset/reads declarations in the document", test_reads_declarations_in_the_document);
    g_test_add_func("/charset/decodes without NUL", test_decodes_without_nul);
    g_test_add_func("/charset/knows binary data", test_knows_binary_data);
    return g_test_run();
}
