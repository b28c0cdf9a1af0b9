/*
 * A PAM module that says and asks what its arguments say, in their order, and succeeds when all answers
 * are the expected ones: info=TEXT, error=TEXT, hidden=PROMPT|ANSWER, seen=PROMPT|ANSWER, binary (a
 * message that is no text, and its failure is not minded), hang (sleeps for ever).
 */
#include <security/pam_appl.h>
#include <security/pam_modules.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int converse(pam_handle_t *handle, int style, const char *text, char **reply)
{
    const struct pam_conv *functions = NULL;
    struct pam_message message = { style, text };
    const struct pam_message *messages = &message;
    struct pam_response *responses = NULL;
    int status = pam_get_item(handle, PAM_CONV, (const void **)&functions);

    *reply = NULL;
    if (status != PAM_SUCCESS || functions == NULL)
        return PAM_CONV_ERR;
    status = functions->conv(1, &messages, &responses, functions->appdata_ptr);
    if (status == PAM_SUCCESS && responses != NULL) {
        *reply = responses->resp;
        free(responses);
    }
    return status;
}

static int ask(pam_handle_t *handle, int style, const char *argument)
{
    char prompt[256];
    const char *answer = strchr(argument, '|');
    char *reply;
    int status;

    if (answer == NULL)
        return PAM_SERVICE_ERR;
    snprintf(prompt, sizeof prompt, "%.*s", (int)(answer - argument), argument);
    status = converse(handle, style, prompt, &reply);
    if (status == PAM_SUCCESS && (reply == NULL || strcmp(reply, answer + 1) != 0))
        status = PAM_AUTH_ERR;
    free(reply);
    return status;
}

static int obey(pam_handle_t *handle, const char *argument)
{
    char *reply;
    int status = PAM_SERVICE_ERR;

    if (strncmp(argument, "info=", 5) == 0)
        return converse(handle, PAM_TEXT_INFO, argument + 5, &reply);
    if (strncmp(argument, "error=", 6) == 0)
        return converse(handle, PAM_ERROR_MSG, argument + 6, &reply);
    if (strncmp(argument, "hidden=", 7) == 0)
        return ask(handle, PAM_PROMPT_ECHO_OFF, argument + 7);
    if (strncmp(argument, "seen=", 5) == 0)
        return ask(handle, PAM_PROMPT_ECHO_ON, argument + 5);
    if (strcmp(argument, "binary") == 0) {
        /* The length of a libpam_client packet in network order: no text. */
        status = converse(handle, PAM_BINARY_PROMPT, "\0\0\0\5\1", &reply);
        return status == PAM_CONV_ERR ? PAM_SUCCESS : PAM_ABORT;
    }
    while (strcmp(argument, "hang") == 0)
        pause();
    return status;
}

int pam_sm_authenticate(pam_handle_t *handle, int flags, int count, const char **arguments)
{
    int status = PAM_SUCCESS;

    (void)flags;
    for (int number = 0; number < count && status == PAM_SUCCESS; number++)
        status = obey(handle, arguments[number]);
    return status;
}

int pam_sm_setcred(pam_handle_t *handle, int flags, int count, const char **arguments)
{
    (void)handle, (void)flags, (void)count, (void)arguments;
    return PAM_SUCCESS;
}
