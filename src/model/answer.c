#include "model/answer.h"

void
answer_free(Answer *answer)
{
    if (answer == NULL)
        return;
    g_free(answer->source);
    g_free(answer->text);
    g_free(answer);
}
