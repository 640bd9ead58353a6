// SPDX-License-Identifier: MIT
/*
 * The least that libfcgi can do: answers every request with the same bytes,
 * which are those of a file. libfcgi serves a connection at a time, so there is
 * a process for each that the front end may hold open.
 *
 *   null_fcgi SOCKET PROCESSES FILE
 */
#include <fcgiapp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static char body[65536];

static void
serve(int listen_fd, int len)
{
    FCGX_Request request;

    FCGX_InitRequest(&request, listen_fd, 0);
    while (FCGX_Accept_r(&request) == 0) {
        FCGX_FPrintF(request.out,
                     "Content-Type: application/json\r\n"
                     "Content-Length: %d\r\n\r\n",
                     len);
        FCGX_PutStr(body, len, request.out);
        FCGX_Finish_r(&request);
    }
}

static int
read_body(const char *path)
{
    FILE *file = fopen(path, "rb");
    int len = -1;

    if (file != NULL) {
        len = (int)fread(body, 1, sizeof(body), file);
        fclose(file);
    }
    return len;
}

int
main(int argc, char **argv)
{
    pid_t parent = getpid();
    int listen_fd, processes, len;

    if (argc != 4) {
        fprintf(stderr, "usage: null_fcgi SOCKET PROCESSES FILE\n");
        return 2;
    }
    processes = (int)strtol(argv[2], NULL, 10);
    len = read_body(argv[3]);
    if (len < 0 || FCGX_Init() != 0 ||
        (listen_fd = FCGX_OpenSocket(argv[1], 512)) < 0)
        return 1;
    for (int i = 0; i < processes; i++) {
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            if (getppid() == parent)
                serve(listen_fd, len);
            _exit(0);
        }
    }
    while (wait(NULL) > 0)
        ;
    return 0;
}
