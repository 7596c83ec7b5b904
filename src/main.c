/*
 * main.c - the table of commands, and the exit status.
 */
#include "base/error.h"
#include "base/nearest.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/command.h"
#include "extract/extract.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

typedef struct
{
    const char *name;
    CommandFunction run;
    const char *summary; /* NULL: not for people, so not listed */
} Command;

static const Command COMMANDS[] = {
    {"init", command_init, "writes a settings file from a stack of Bedrock Chat"},
    {"plan", command_plan, "shows what would be done for every bot, the time and the cost"},
    {"apply", command_apply, "does it; the same command resumes an interrupted run"},
    {"status", command_status, "shows where a run stands; --watch follows it"},
    {"verify", command_verify, "compares the new store with what it should hold"},
    {"ask", command_ask, "asks a bot's knowledge a question, as the application does"},
    {"store", command_store, "makes the guide's schema in an empty store"},
    {"copy", command_copy, "copies whole tables from one database to another"},
    {"settings", command_settings, "prints a settings file to begin with"},
    {"embed", command_embed, "embeds one bot: the worker that apply starts"},
    {"fault-points", command_fault_points, NULL},
};

/* What the signal handler may touch.  It lives as long as the process: a signal may still come
 * while the exit handlers run. */
static Cancel *interrupted;

static void
on_signal(int number)
{
    (void) number;
    cancel_request(interrupted);

    /*
     * Who presses Ctrl-C a second time means it.  A second SIGTERM means nothing: a reboot sends
     * one to every process, and apply another one to its workers, which must still put away what
     * they have paid for.
     */
    signal(SIGINT, SIG_DFL);
}

static void
watch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of its write() */
}

/* A core would hold passwords and documents. */
static void
forbid_core_dumps(void)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

static void
print_help(FILE *to)
{
    fputs(
        "Usage: vecferry COMMAND [OPTION…]\n\n"
        "Moves a RAG knowledge base in PostgreSQL + pgvector to a new cluster, and proves that\n"
        "nothing was lost.\n\nCommands:\n",
        to);
    for (size_t i = 0; i < G_N_ELEMENTS(COMMANDS); i++)
        if (COMMANDS[i].summary != NULL)
            fprintf(to, "  %-8s %s\n", COMMANDS[i].name, COMMANDS[i].summary);
    fputs(
        "\n`vecferry COMMAND --help` lists a command's options; vecferry(1) explains them.\n"
        "Exit status: 0 done, 1 failed, 2 wrong usage, 3 not the planned world, 4 some bots\n"
        "failed or were skipped, 130 interrupted.\n",
        to);
}

static const Command *
find_command(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(COMMANDS); i++)
        if (strcmp(COMMANDS[i].name, name) == 0)
            return &COMMANDS[i];
    return NULL;
}

ExitStatus
status_of_error(const GError *error)
{
    const char *name = vf_error_name(error);
    switch (vf_error_from_name(name))
    {
    case VF_ERROR_USAGE:
        return STATUS_USAGE;
    case VF_ERROR_MISMATCH:
        return STATUS_DIFFERENT;
    case VF_ERROR_CANCELLED:
        return STATUS_INTERRUPTED;
    case VF_ERROR_CONNECT:
    case VF_ERROR_DENIED:
    case VF_ERROR_BUSY:
    case VF_ERROR_BAD_INPUT:
    case VF_ERROR_FAILED:
        return STATUS_FAILED;
    }
    g_assert_not_reached();
}

/*
 * The message, and its second line as a hint.  Whatever the words quote - an argument, a file -
 * they show no password and move no cursor.
 */
static void
print_error(const GError *error)
{
    g_autofree char *message = secret_hidden(error->message);
    g_auto(GStrv) lines = g_strsplit(message, "\n", 2);

    for (size_t i = 0; lines[i] != NULL; i++)
    {
        g_autofree char *line = text_safe(lines[i]);
        fprintf(stderr, "%s%s\n", i == 0 ? "vecferry: " : "hint: ", line);
    }
}

static ExitStatus
refuse_command(const char *name)
{
    const char *names[G_N_ELEMENTS(COMMANDS) + 1] = {NULL};
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(COMMANDS); i++)
        names[i] = COMMANDS[i].name;
    g_set_error(&error, VF_ERROR, VF_ERROR_USAGE, "unknown command \"%s\"", name);
    vf_error_hint(
        &error, "did you mean `vecferry %s`?", nearest(name, (char *const *) (gsize) names));
    print_error(error);
    return STATUS_USAGE;
}

/* Copies the arguments and blots out passwords in the originals, which ps shows. */
static char **
private_arguments(int argc, char **argv)
{
    char **copy = g_new0(char *, (gsize) argc + 1);
    bool hidden = false;

    for (int i = 0; i < argc; i++)
    {
        copy[i] = g_strdup(argv[i]);
        hidden = secret_hide_password(argv[i]) || hidden;
    }
    if (hidden)
        fputs(
            "note: other users may have seen the password on the command line; "
            "~/.pgpass or vecferry.conf (mode 0600) keep it private\n",
            stderr);
    return copy;
}

/* What did not reach its reader was not done. */
static ExitStatus
finish(ExitStatus status)
{
    g_autoptr(GError) error = NULL;

    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    g_set_error(
        &error, VF_ERROR, VF_ERROR_FAILED, "could not write the output: %s",
        errno == 0 ? "an earlier write failed" : g_strerror(errno));
    print_error(error);
    return status == STATUS_DONE ? STATUS_FAILED : status;
}

static ExitStatus
run_command(const Command *command, char **arguments, Cancel *cancel)
{
    const Invocation invocation = {arguments, cancel};
    g_autofree char *program = g_strconcat("vecferry ", command->name, NULL);
    ExitStatus status = STATUS_DONE;
    g_autoptr(GError) error = NULL;

    g_set_prgname(program);
    const bool done = command->run(&invocation, &status, &error);
    if (error != NULL)
        print_error(error);
    return done ? status : status_of_error(error);
}

/* `vecferry help apply` is `vecferry apply --help`. */
static ExitStatus
help_with(const char *name, Cancel *cancel)
{
    char *arguments[] = {(char *) (gsize) name, (char *) (gsize) "--help", NULL};
    const Command *command = find_command(name);
    return command == NULL ? refuse_command(name) : run_command(command, arguments, cancel);
}

int
main(int argc, char **argv)
{
    /* The child that reads foreign bytes needs nothing of what follows. */
    if (argc > 1 && strcmp(argv[1], "extract-child") == 0)
        return extract_child_main();

    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");
    forbid_core_dumps();
    interrupted = cancel_new();
    watch_signals();
    g_auto(GStrv) arguments = private_arguments(argc, argv);
    const char *name = arguments[1];
    if (name == NULL)
    {
        print_help(stderr);
        return STATUS_USAGE;
    }
    const bool help = strcmp(name, "help") == 0;
    if (help && arguments[2] != NULL)
        return (int) help_with(arguments[2], interrupted);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || help)
    {
        print_help(stdout);
        return (int) finish(STATUS_DONE);
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0)
    {
        puts("vecferry " VECFERRY_VERSION);
        return (int) finish(STATUS_DONE);
    }
    const Command *command = find_command(name);
    if (command == NULL)
        return (int) refuse_command(name);
    return (int) finish(run_command(command, arguments + 1, interrupted));
}
