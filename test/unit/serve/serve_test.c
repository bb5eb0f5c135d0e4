/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/serve.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "test/unit/test.h"

static unsigned say_hello(const struct serve_request *r, void *arg, struct str *reply)
{
	(void)r;
	str_addf(reply, "hello %s\n", (const char *)arg);
	return 200;
}

static unsigned echo(const struct serve_request *r, void *arg, struct str *reply)
{
	(void)arg;
	str_addn(reply, r->body.s, r->body.n);
	return 201;
}

static unsigned refuse_unknown_clients(const struct serve_request *r, void *arg)
{
	(void)arg;
	if (strcmp(r->method, "POST") != 0)
		return 0;
	return r->is_unix || (r->authorization && strcmp(r->authorization, "friend") == 0) ? 0
											   : 401;
}

static const struct serve_route routes[] = {
	{ "GET", "/hello", say_hello },
	{ "POST", "/echo", echo },
	{},
};

static const struct serve_options serve_options = {
	.routes = routes,
	.admit = refuse_unknown_clients,
	.arg = "you",
};

static struct serve *start(const char *address)
{
	struct error err = ERROR_INIT;
	struct serve *s = NULL;

	if (serve_start(address, &serve_options, &s, &err) < 0)
		fail_msg("%s", err.msg);
	return s;
}

/* All that comes back for a request, until the server closes. */
static void exchange(int fd, const char *request, size_t n, char reply[static 4096])
{
	size_t got = 0;
	ssize_t r;

	assert_int_equal(send(fd, request, n, MSG_NOSIGNAL), (ssize_t)n);
	while ((r = read(fd, reply + got, 4095 - got)) > 0)
		got += (size_t)r;
	reply[got] = '\0';
	close(fd);
}

static int connect_tcp(const struct serve *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_port = htons((uint16_t)atoi(strrchr(serve_address(s), ':') + 1));
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void ask(const struct serve *s, const char *first, const char *headers, const char *body,
		char reply[static 4096])
{
	AUTO_FREE char *text = xasprintf("%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s"
					 "Content-Length: %zu\r\n\r\n%s",
					 first, headers, strlen(body), body);

	exchange(connect_tcp(s), text, strlen(text), reply);
}

static void has_status(const char *reply, const char *status)
{
	if (strncmp(reply, "HTTP/1.1 ", 9) != 0 || strncmp(reply + 9, status, 3) != 0)
		fail_msg("not %s: %s", status, reply);
}

TEST(routes_are_followed)
{
	struct serve *s = start("0");
	char reply[4096];

	assert_int_equal(strncmp(serve_address(s), "http://127.0.0.1:", 17), 0);
	ask(s, "GET /hello", "", "", reply);
	has_status(reply, "200");
	assert_non_null(strstr(reply, "\r\n\r\nhello you\n"));
	ask(s, "GET /other", "", "", reply);
	has_status(reply, "404");
	ask(s, "DELETE /hello", "", "", reply);
	has_status(reply, "405");
	serve_stop(s);
}

TEST(some_are_refused)
{
	struct serve *s = start("127.0.0.1:0");
	char reply[4096];

	ask(s, "POST /echo", "", "x", reply);
	has_status(reply, "401");
	ask(s, "POST /echo", "Authorization: friend\r\n", "a body", reply);
	has_status(reply, "201");
	assert_non_null(strstr(reply, "\r\n\r\na body"));
	serve_stop(s);
}

TEST(a_body_is_limited)
{
	struct serve *s = start("0");
	AUTO_FREE char *body = xcalloc(1, (65 << 10) + 1);
	char reply[4096];

	memset(body, 'x', 65 << 10);
	ask(s, "POST /echo", "Authorization: friend\r\n", body, reply);
	has_status(reply, "413");
	serve_stop(s);
}

TEST(a_socket_in_the_file_system_is_for_its_owner)
{
	char folder[] = "/tmp/mckube-serve-XXXXXX";
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char reply[4096], path[64], address[80];
	struct stat st;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
	snprintf(address, sizeof(address), "unix:%s", path);
	struct serve *s = start(address);
	assert_true(serve_is_unix(s));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	static const char request[] = "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
				      "Content-Length: 2\r\n\r\nhi";
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	memcpy(a.sun_path, path, strlen(path) + 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	exchange(fd, request, sizeof(request) - 1, reply);
	has_status(reply, "201");
	serve_stop(s);
	assert_int_equal(access(path, F_OK), -1);
	rmdir(folder);
}

static int connect_from(const struct serve *s, const char *source)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(inet_pton(AF_INET, source, &a.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_port = htons((uint16_t)atoi(strrchr(serve_address(s), ':') + 1));
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

TEST(one_address_cannot_take_all_connections)
{
	struct serve *s = start("0");
	int fds[40];
	char reply[4096];

	for (size_t i = 0; i < 40; i++) {
		fds[i] = connect_from(s, "127.0.0.2");
		assert_true(send(fds[i], "GET /hello HT", 13, MSG_NOSIGNAL) > 0);
	}
	ask(s, "GET /hello", "", "", reply);
	has_status(reply, "200");
	for (size_t i = 0; i < 40; i++)
		close(fds[i]);
	serve_stop(s);
}

TEST(a_request_that_comes_byte_by_byte_is_ended)
{
	struct serve_options options = serve_options;
	struct error err;
	struct serve *s;
	char byte;

	options.request_ms = 300;
	assert_int_equal(serve_start("0", &options, &s, &err), 0);
	int fd = connect_tcp(s);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	assert_true(send(fd, "GET /hello HTTP/1.1\r\nX: ", 24, MSG_NOSIGNAL) == 24);
	for (int i = 0; i < 200 && poll(&p, 1, 50) == 0; i++)
		send(fd, "x", 1, MSG_NOSIGNAL);
	assert_true(read(fd, &byte, 1) <= 0);
	close(fd);
	serve_stop(s);
}

TEST(a_connection_that_is_used_again_is_not_ended)
{
	static const char request[] = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
	struct serve_options options = serve_options;
	struct error err;
	struct serve *s;
	char reply[4096];

	options.request_ms = 2000;
	assert_int_equal(serve_start("0", &options, &s, &err), 0);
	int fd = connect_tcp(s);
	for (int i = 0; i < 6; i++) {
		assert_true(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0);
		ssize_t n = read(fd, reply, sizeof(reply) - 1);
		reply[n > 0 ? n : 0] = '\0';
		has_status(reply, "200");
		poll(NULL, 0, 500);
	}
	close(fd);
	serve_stop(s);
}

TEST(addresses_that_are_none_are_named)
{
	static const char *const bad[] = {
		"",	"x",  "1.2.3.4",     "127.0.0.1:", "127.0.0.1:70000", "localhost:80",
		"[::1", "-1", "127.0.0.1:8x"
	};
	struct serve *s = NULL;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error err = ERROR_INIT;

		if (serve_start(bad[i], &serve_options, &s, &err) != -EINVAL)
			fail_msg("'%s' was taken: %s", bad[i], err.msg);
		assert_non_null(strstr(err.msg, "is not unix:/PATH, PORT or HOST:PORT"));
	}
}

TEST(a_port_that_is_taken_is_an_error)
{
	struct serve *s = start("0"), *other = NULL;
	struct error err = ERROR_INIT;

	assert_int_equal(
		serve_start(strrchr(serve_address(s), ':') + 1, &serve_options, &other, &err),
		-EADDRINUSE);
	serve_stop(s);
}
