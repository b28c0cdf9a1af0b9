/* A PAM application in C, for valgrind: each argument after the service and the user is the reply to the
 * prompts of one transaction. It prints the status of each pam_authenticate. */
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int converse(int count, const struct pam_message **messages, struct pam_response **responses,
                    void *data)
{
    struct pam_response *array = calloc((size_t)count, sizeof *array);
    if (array == NULL)
        return PAM_BUF_ERR;
    for (int i = 0; i < count; i++)
        if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF || messages[i]->msg_style == PAM_PROMPT_ECHO_ON)
            array[i].resp = strdup(data);
    *responses = array;
    return PAM_SUCCESS;
}

static void do_not_wait(int status, unsigned int microseconds, void *data)
{
    (void)status, (void)microseconds, (void)data;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    for (int i = 3; i < argc; i++) {
        struct pam_conv conversation = {converse, argv[i]};
        pam_handle_t *handle = NULL;
        int status = pam_start_confdir(argv[1], argv[2], &conversation, "/etc/pam.d", &handle);
        if (status == PAM_SUCCESS) {
            pam_set_item(handle, PAM_FAIL_DELAY, (void *)do_not_wait);
            status = pam_authenticate(handle, 0);
            printf("%d\n", status);
            pam_end(handle, status);
        }
    }
    return 0;
}
