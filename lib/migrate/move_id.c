/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate/move_id.h"

#include <string.h>
#include <sys/random.h>

#include "base/names.h"

enum { ID_LENGTH = MOVE_ID_SIZE - 1, LETTERS = 32 };

static bool is_id_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool move_id_is_valid(const char *id)
{
	size_t n = 0;

	while (is_id_char(id[n]))
		n++;
	return n == ID_LENGTH && !id[n];
}

int move_id_make(char ret[static MOVE_ID_SIZE], struct error *err)
{
	static const char letters[LETTERS + 1] = "abcdefghijklmnopqrstuvwxyz012345";
	unsigned char random[ID_LENGTH];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return error_errno(err, "random numbers");
	for (int i = 0; i < ID_LENGTH; i++)
		ret[i] = letters[random[i] % LETTERS];
	ret[ID_LENGTH] = '\0';
	return 0;
}

void move_image(struct str *out, const char *id, unsigned container)
{
	str_addf(out, MIGRATE_REGISTRY "/mig/%s-%u:v1", id, container);
}

bool move_image_is_checkpoint(struct slice name, struct slice digest, char ret[static MOVE_ID_SIZE])
{
	static const char prefix[] = MIGRATE_REGISTRY "/mig/";
	const size_t n_prefix = sizeof(prefix) - 1, n_id = n_prefix + ID_LENGTH;
	size_t at = n_id + 1;

	if (name.n <= at || memcmp(name.s, prefix, n_prefix) != 0 || name.s[n_id] != '-')
		return false;
	memcpy(ret, name.s + n_prefix, ID_LENGTH);
	ret[ID_LENGTH] = '\0';
	while (at < name.n && name.s[at] >= '0' && name.s[at] <= '9')
		at++;
	return move_id_is_valid(ret) && at > n_id + 1 && at < name.n && name.s[at] == '@' &&
	       name.n - at - 1 == digest.n && memcmp(name.s + at + 1, digest.s, digest.n) == 0;
}
