/*
 * settings.c - `vecferry settings`: a vecferry.conf with every setting, its meaning and default.
 */
#include "cli/options.h"

#include <stdio.h>

static void
print_setting(const SettingInfo *info)
{
    printf("\n# %s", info->help);
    if (info->kind == SETTING_KIND_CHOICE)
        printf(" (%s)", info->argument);
    printf("\n#%s=%s\n", info->key, info->fallback == NULL ? "" : info->fallback);
}

bool
command_settings(const Invocation *invocation, ExitStatus *status, GError **error)
{
    const OptionsInfo info = {
        .summary = "Prints a settings file with every setting commented out: its meaning, its "
                   "default.\n`vecferry settings > vecferry.conf` is a good beginning.",
    };
    const char *group = "";
    g_autoptr(Settings) settings = options_parse(invocation, &info, NULL, error);

    if (settings == NULL)
        return false;
    puts("# Settings of vecferry.  An option of the same meaning beats a line of this file.\n"
         "# Keep it private (chmod 600) when an address in it holds a password.");
    for (int i = 0; i < SETTING_COUNT; i++)
    {
        const SettingInfo *setting = setting_info((Setting) i);
        if (setting->group == NULL)
            continue;
        if (g_strcmp0(group, setting->group) != 0)
            printf("\n[%s]\n", setting->group);
        group = setting->group;
        print_setting(setting);
    }
    *status = STATUS_DONE;
    return true;
}
