/*
 * A name service for tests whose groups cannot be had: as /etc/nss_sick says, it fails at once or hangs for
 * a minute, as a directory does that is away.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum nss_status sick(int *errnop)
{
	char how[16] = "";
	FILE *file = fopen("/etc/nss_sick", "re");

	if (file != NULL) {
		if (fgets(how, sizeof(how), file) == NULL)
			how[0] = '\0';
		fclose(file);
	}
	if (strncmp(how, "hang", 4) == 0)
		sleep(60);
	*errnop = EAGAIN;
	return NSS_STATUS_UNAVAIL;
}

enum nss_status _nss_sick_getgrnam_r(const char *name, struct group *entry, char *buffer, size_t size,
				     int *errnop)
{
	(void)name;
	(void)entry;
	(void)buffer;
	(void)size;
	return sick(errnop);
}

enum nss_status _nss_sick_getgrgid_r(gid_t gid, struct group *entry, char *buffer, size_t size, int *errnop)
{
	(void)gid;
	(void)entry;
	(void)buffer;
	(void)size;
	return sick(errnop);
}
