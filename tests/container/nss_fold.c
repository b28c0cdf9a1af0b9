/*
 * A name service for tests that ignores the case of user names, as SSSD does with
 * case_sensitive=false: ALICE is found, and the entry says alice. With "passwd: files fold" in
 * nsswitch.conf it is asked for the names that /etc/passwd does not have as they were typed.
 */

#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <string.h>

#define LONGEST_NAME 256

/* Returns 0 when there is nothing to fold, and the file has been asked already. */
static int fold(const char *name, char folded[LONGEST_NAME])
{
	size_t length = strlen(name);

	if (length >= LONGEST_NAME)
		return 0;
	for (size_t i = 0; i <= length; i++)
		folded[i] = (char)tolower((unsigned char)name[i]);
	return strcmp(name, folded) != 0;
}

/* What the error of fgetpwent_r or fgetspent_r means; ENOENT is the end of the file. */
static enum nss_status verdict(int error, int *errnop)
{
	*errnop = error;
	switch (error) {
	case 0:
		return NSS_STATUS_SUCCESS;
	case ENOENT:
		return NSS_STATUS_NOTFOUND;
	case ERANGE:
		return NSS_STATUS_TRYAGAIN;
	default:
		return NSS_STATUS_UNAVAIL;
	}
}

enum nss_status _nss_fold_getpwnam_r(const char *name, struct passwd *entry, char *buffer,
				     size_t size, int *errnop)
{
	char folded[LONGEST_NAME];
	struct passwd *found;
	FILE *file;
	int error;

	if (!fold(name, folded))
		return verdict(ENOENT, errnop);
	file = fopen("/etc/passwd", "re");
	if (file == NULL)
		return verdict(errno == ENOENT ? EIO : errno, errnop);
	do
		error = fgetpwent_r(file, entry, buffer, size, &found);
	while (error == 0 && strcmp(entry->pw_name, folded) != 0);
	fclose(file);
	return verdict(error, errnop);
}

enum nss_status _nss_fold_getspnam_r(const char *name, struct spwd *entry, char *buffer,
				     size_t size, int *errnop)
{
	char folded[LONGEST_NAME];
	struct spwd *found;
	FILE *file;
	int error;

	if (!fold(name, folded))
		return verdict(ENOENT, errnop);
	file = fopen("/etc/shadow", "re");
	if (file == NULL)
		return verdict(errno == ENOENT ? EIO : errno, errnop);
	do
		error = fgetspent_r(file, entry, buffer, size, &found);
	while (error == 0 && strcmp(entry->sp_namp, folded) != 0);
	fclose(file);
	return verdict(error, errnop);
}
