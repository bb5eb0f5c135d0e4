/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/auth.h"

#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/file.h"
#include "kube/exec_plugin.h"
#include "kube/header.h"
#include "kube/plugin_policy.h"

enum {
	TOKEN_FILE_SECONDS = 50,
	TOKEN_MAX_BYTES = 1 << 20,
};

struct kube_auth {
	const struct kube_target *target;
	char *file_token; /* what the token file held when it was read last */
	time_t file_read; /* CLOCK_MONOTONIC; 0: never */
	struct credential plugin;
	bool has_plugin_reply;
	unsigned n_plugin_runs;
};

static time_t seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec;
}

struct kube_auth *kube_auth_new(const struct kube_target *t)
{
	struct kube_auth *a = xcalloc(1, sizeof(*a));

	a->target = t;
	a->plugin = (struct credential)CREDENTIAL_INIT;
	return a;
}

static void forget(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

void kube_auth_free(struct kube_auth *a)
{
	if (!a)
		return;
	forget(&a->file_token);
	credential_done(&a->plugin);
	free(a);
}

/* The file's text without blanks around it; NULL with err set. */
static char *read_token(const char *path, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(TOKEN_MAX_BYTES);

	if (file_read(path, &text, err) < 0) {
		error_wrap(err, "tokenFile");
		return NULL;
	}
	size_t skip = strspn(text.s, " \t\r\n");
	while (text.n > skip && strchr(" \t\r\n", text.s[text.n - 1]))
		str_cut(&text, text.n - 1);
	if (text.n <= skip) {
		error_set(err, -EINVAL, "tokenFile: %s: is empty", path);
		return NULL;
	}
	if (!header_value_is_valid(text.s + skip)) {
		error_set(err, -EINVAL, "tokenFile: %s: holds control characters", path);
		return NULL;
	}
	return xstrdup(text.s + skip);
}

static int get_file_token(struct kube_auth *a, const char *path, const char **ret,
			  struct error *err)
{
	time_t now = seconds(CLOCK_MONOTONIC);

	if (!a->file_token || now - a->file_read >= TOKEN_FILE_SECONDS) {
		char *token = read_token(path, err);

		if (!token && !a->file_token)
			return err ? err->code : -EIO;
		if (token) {
			forget(&a->file_token);
			a->file_token = token;
		}
		a->file_read = now;
	}
	*ret = a->file_token;
	return 0;
}

static int run_plugin(struct kube_auth *a, struct error *err)
{
	const struct kube_target *t = a->target;
	AUTO(plugin_policy_done) struct plugin_policy policy = { 0 };
	struct credential fresh = CREDENTIAL_INIT;
	AUTO_FREE char *program = NULL;

	if (plugin_policy_load(&policy, err) < 0 || plugin_find(t->user.exec, &program, err) < 0 ||
	    plugin_policy_check(&policy, program, err) < 0)
		return -EACCES;
	if (exec_plugin_run(t->user.exec, program, &t->cluster, &fresh, err) < 0)
		return -EACCES;
	credential_done(&a->plugin);
	a->plugin = fresh;
	a->has_plugin_reply = true;
	a->n_plugin_runs++;
	return 0;
}

static int get_plugin(struct kube_auth *a, struct kube_identity *ret, struct error *err)
{
	int64_t expires = a->plugin.expires;
	bool is_valid = a->has_plugin_reply && (!expires || seconds(CLOCK_REALTIME) < expires);

	if (!is_valid && run_plugin(a, err) < 0)
		return -EACCES;
	ret->token = a->plugin.token;
	ret->cert = (struct slice){ a->plugin.cert.s, a->plugin.cert.n };
	ret->key = (struct slice){ a->plugin.key.s, a->plugin.key.n };
	ret->generation = a->n_plugin_runs;
	return 0;
}

int kube_auth_get(struct kube_auth *a, struct kube_identity *ret, struct error *err)
{
	const struct kube_user *u = &a->target->user;

	*ret = (struct kube_identity){
		.token = u->token,
		.username = u->username,
		.password = u->password,
		.cert_file = u->cert_file,
		.key_file = u->key_file,
		.cert = u->cert_data,
		.key = u->key_data,
	};
	if (u->token_file)
		return get_file_token(a, u->token_file, &ret->token, err);
	bool has_own = u->token || u->username || u->password || u->cert_file || u->cert_data.s;
	return u->exec && !has_own ? get_plugin(a, ret, err) : 0;
}

bool kube_auth_was_refused(struct kube_auth *a)
{
	const struct kube_user *u = &a->target->user;

	if (u->token_file) {
		AUTO_FREE char *token = read_token(u->token_file, NULL);
		bool is_new = token && (!a->file_token || strcmp(token, a->file_token) != 0);

		a->file_read = 0;
		if (is_new)
			forget(&a->file_token);
		return is_new;
	}
	if (!a->has_plugin_reply)
		return false;
	a->has_plugin_reply = false;
	return true;
}
