/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/proxy.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "test/unit/test.h"

static bool is_direct(const char *no_proxy, const char *host, const char *port)
{
	const struct proxy_environment env = { .https = "http://p:1", .no_proxy = no_proxy };
	AUTO_FREE char *proxy = NULL;

	assert_int_equal(proxy_choose(&env, "https", host, port, &proxy, NULL), 0);
	return !*proxy;
}

/* kubectl 1.33 goes these ways. */
static const struct {
	const char *no_proxy, *host, *port;
	bool is_direct;
} rows[] = {
	{ NULL, "10.1.2.3", "443", false },
	{ NULL, "localhost", "443", true },
	{ NULL, "LocalHost", "443", true },
	{ NULL, "127.0.0.9", "443", true },
	{ NULL, "[::1]", "443", true },
	{ "10.1.2.3", "10.1.2.3", "443", true },
	{ "10.1.2.3:6443", "10.1.2.3", "6443", true },
	{ "10.1.2.3:6443", "10.1.2.3", "443", false },
	{ "api.corp.example:6443", "api.corp.example", "6443", true },
	{ "api.corp.example:6443", "api.corp.example", "443", false },
	{ "foo,*", "api.corp.example", "443", true },
	{ " foo , * ", "10.1.2.3", "443", true },
	{ "*.corp.example", "api.corp.example", "443", true },
	{ "*.corp.example", "corp.example", "443", false },
	{ ".corp.example", "api.corp.example", "443", true },
	{ ".api.corp.example", "api.corp.example", "443", false },
	{ "corp.example", "api.corp.example", "443", true },
	{ "corp.example", "API.Corp.Example", "443", true },
	{ "corp.example", "corp.example", "443", true },
	{ "corp.example", "api.corp.example.", "443", false },
	{ "corp.example", "xcorp.example", "443", false },
	{ "fd00::/8", "[fd00::5]", "443", true },
	{ "fd00::/8", "[fe00::5]", "443", false },
	{ "fd00::5", "[fd00:0::5]", "443", true },
	{ "[fd00::5]:6443", "[fd00::5]", "6443", true },
	{ "[fd00::5]:6443", "[fd00::5]", "443", false },
	{ "10.0.0.0/8", "10.1.2.3", "443", true },
	{ "10.0.0.0/15", "10.2.2.3", "443", false },
	{ "10.0.0.0/33", "10.0.0.0", "443", false },
	{ "0.0.0.0/0", "fd00::5", "443", false },
	{ "0.0.0.0/0", "10.1.2.3", "443", true },
	{ "1.2.3", "10.1.2.3", "443", false },
	{ ",,:6443,:", "api", "6443", false },
	{ "*corp.example", "api.corp.example", "443", false },
};

TEST(no_proxy_is_gos)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (is_direct(rows[i].no_proxy, rows[i].host, rows[i].port) != rows[i].is_direct)
			fail_msg("NO_PROXY=%s %s:%s", rows[i].no_proxy, rows[i].host, rows[i].port);
}

static void chooses(struct proxy_environment env, const char *scheme, const char *expected)
{
	AUTO_FREE char *proxy = NULL;
	struct error err;

	if (proxy_choose(&env, scheme, "api", "6443", &proxy, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(proxy, expected);
}

TEST(scheme_of_the_server_picks_the_variable)
{
	const struct proxy_environment both = { .https = "socks5://s:1", .http = "h:2" };

	chooses(both, "https", "socks5://s:1");
	chooses(both, "http", "http://h:2");
	chooses((struct proxy_environment){ .http = "h:2" }, "https", "");
	chooses((struct proxy_environment){ .https = "" }, "https", "");
	chooses((struct proxy_environment){ .https = "s:1", .is_cgi = true }, "https",
		"http://s:1");
}

TEST(capitals_come_before_small_letters)
{
	setenv("HTTPS_PROXY", "upper", 1);
	setenv("https_proxy", "lower", 1);
	setenv("HTTP_PROXY", "", 1);
	setenv("http_proxy", "lower", 1);
	setenv("ALL_PROXY", "all", 1);
	struct proxy_environment env = proxy_environment();
	assert_string_equal(env.https, "upper");
	assert_string_equal(env.http, "lower");
	unsetenv("HTTPS_PROXY");
	unsetenv("https_proxy");
	env = proxy_environment();
	assert_null(env.https);
}

static void refuses(struct proxy_environment env, const char *scheme, const char *message)
{
	AUTO_FREE char *proxy = NULL;
	struct error err;

	assert_int_equal(proxy_choose(&env, scheme, "api", "443", &proxy, &err), -EINVAL);
	assert_string_equal(err.msg, message);
}

TEST(what_is_no_proxy_is_refused_without_its_password)
{
	refuses((struct proxy_environment){ .https = "ftp://bob:PW@h" }, "https",
		"HTTPS_PROXY ftp://bob:xxxxx@h: must begin with http://, https://, socks5:// or "
		"socks5h://");
	refuses((struct proxy_environment){ .http = "h", .is_cgi = true }, "http",
		"HTTP_PROXY: refused in a CGI environment");
}

TEST(passwords_are_not_shown)
{
	static const struct {
		const char *url, *shown;
	} urls[] = {
		{ "https://bob:PW@host/x", "https://bob:xxxxx@host/x" },
		{ "https://bob:P@W:x@host", "https://bob:xxxxx@host" },
		{ "bob:PW@host", "bob:xxxxx@host" },
		{ "https://bob@host:1/a:b@c", "https://bob@host:1/a:b@c" },
		{ "https://host:1", "https://host:1" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		AUTO_FREE char *shown = url_redacted(urls[i].url);

		assert_string_equal(shown, urls[i].shown);
	}
}
