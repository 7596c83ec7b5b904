#include "base/error.h"
#include "definition/choose.h"
#include "definition/script.h"
#include "definition/tool.h"

#include <string.h>

#define SESSION "--\n-- PostgreSQL database dump\n--\n\nSET row_security = off;\n"
#define HEAD(number, class, oid, needs, names)                                                     \
    "\n--\n-- TOC entry " number " (class " class " OID " oid ")\n" needs "-- Name: " names        \
                                                  "; Owner: -\n-- Data Pos: 0\n--\n\n"
#define END "\n\n-- Completed on 2026-11-23\n\n--\n-- PostgreSQL database dump complete\n--\n\n"

static GPtrArray *
read_script(const char *text)
{
    GPtrArray *definitions = g_ptr_array_new_with_free_func((GDestroyNotify) definition_free);
    script_read(text, false, definitions);
    return definitions;
}

static void
test_a_definition_has_numbers_names_and_sql(void)
{
    g_autoptr(GPtrArray) read = read_script(
        SESSION
            HEAD("7", "1259", "16743", "-- Dependencies: 98 98 3\n", "a; Type: TABLE; Schema: s") "CREATE TABLE s.a ();\n\n" HEAD(
                "8", "0", "0", "",
                "TABLE a; Type: COMMENT; Schema: s") "COMMENT ON TABLE s.a IS '';\n\n" END);

    g_assert_cmpuint(read->len, ==, 2);
    const Definition *table = read->pdata[0];
    g_assert_cmpuint(table->number, ==, 7);
    g_assert_cmpuint(table->class, ==, 1259);
    g_assert_cmpuint(table->oid, ==, 16743);
    g_assert_cmpstr(table->name, ==, "a");
    g_assert_cmpstr(table->type, ==, "TABLE");
    g_assert_cmpstr(table->schema, ==, "s");
    g_assert_cmpstr(table->text, ==, "CREATE TABLE s.a ();");
    g_assert_cmpuint(table->needs->len, ==, 2);
    g_assert_true(definition_needs(table, 98) && definition_needs(table, 3));
    g_assert_cmpstr(((Definition *) read->pdata[1])->text, ==, "COMMENT ON TABLE s.a IS '';");
}

static void
test_a_name_may_hold_what_parts_names(void)
{
    g_autoptr(GPtrArray) read = read_script(
        HEAD("7", "1", "2", "", "a; Type: VIEW; Schema: x; Type: TABLE; Schema: s") "SQL" END);

    g_assert_cmpuint(read->len, ==, 1);
    g_assert_cmpstr(((Definition *) read->pdata[0])->name, ==, "a; Type: VIEW; Schema: x");
    g_assert_cmpstr(((Definition *) read->pdata[0])->type, ==, "TABLE");
}

static void
test_what_only_looks_like_a_heading_is_sql(void)
{
    g_autoptr(GPtrArray) read = read_script(HEAD(
        "7", "1", "2", "", "f(); Type: FUNCTION; Schema: s") "AS '\n--\n-- TOC entry x\n--\n'" END);

    g_assert_cmpuint(read->len, ==, 1);
    g_assert_true(g_str_has_suffix(((Definition *) read->pdata[0])->text, "x\n--\n'"));
}

static void
test_nothing_is_no_definition(void)
{
    g_autoptr(GPtrArray) none = read_script("");
    g_autoptr(GPtrArray) session = read_script(SESSION END);
    g_autoptr(GPtrArray) cut = read_script("\n--\n-- TOC entry 7 (class 1 OID 2)\n-- Name: a");

    g_assert_cmpuint(none->len + session->len + cut->len, ==, 0);
}

static void
assert_statements(const char *text, const char *first, guint count)
{
    g_autoptr(GPtrArray) statements = script_statements(text);
    g_assert_cmpuint(statements->len, ==, count);
    if (count > 0)
        g_assert_cmpstr(statements->pdata[0], ==, first);
}

static void
test_statements_end_at_semicolons_outside_of_quotes(void)
{
    assert_statements("", NULL, 0);
    assert_statements("GRANT a;\nGRANT b;\n", "GRANT a", 2);
    assert_statements("GRANT \"a;\"\"b\";", "GRANT \"a;\"\"b\"", 1);
    assert_statements("A 'it''s; so';B", "A 'it''s; so'", 2);
    assert_statements("A $x$;$$;$x$;B", "A $x$;$$;$x$", 2);
    assert_statements(
        "SET SESSION AUTHORIZATION a;\nGRANT b;RESET SESSION AUTHORIZATION;", "GRANT b", 1);
    assert_statements("A 'not closed;", "A 'not closed;", 1);
}

static void
test_a_tool_that_nobody_has_is_named_by_its_package(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Tool) tool = tool_find(99, 99, &error);

    g_assert_null(tool);
    g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "postgresql-client-99"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func(
        "/script/a definition has numbers, names and SQL",
        test_a_definition_has_numbers_names_and_sql);
    g_test_add_func(
        "/script/a name may hold what parts names", test_a_name_may_hold_what_parts_names);
    g_test_add_func(
        "/script/what only looks like a heading is SQL",
        test_what_only_looks_like_a_heading_is_sql);
    g_test_add_func("/script/nothing is no definition", test_nothing_is_no_definition);
    g_test_add_func(
        "/script/statements end at semicolons outside of quotes",
        test_statements_end_at_semicolons_outside_of_quotes);
    g_test_add_func(
        "/script/a tool that nobody has is named by its package",
        test_a_tool_that_nobody_has_is_named_by_its_package);
    return g_test_run();
}
