/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate_agent/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "test/unit/test.h"

/* Two helpers with folders of their own, one of which listens. */
struct pair {
	char server_folder[64], client_folder[64], address[32];
	struct identity server, client;
	int listen_fd;
	char seen[SHA256_HEX]; /* what the server was shown */
	int result;
};

static void make_identity(char *folder, struct identity *ret)
{
	strcpy(folder, "/tmp/mckube-peer-XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(identity_open(folder, "n", ret, NULL), 0);
}

static void remove_identity(const char *folder, struct identity *i)
{
	AUTO_FREE char *path = xasprintf("%s/identity.pem", folder);

	identity_close(i);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void setup(struct pair *p)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);

	make_identity(p->server_folder, &p->server);
	make_identity(p->client_folder, &p->client);
	p->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->listen_fd, (struct sockaddr *)&a, n), 0);
	assert_int_equal(listen(p->listen_fd, 1), 0);
	assert_int_equal(getsockname(p->listen_fd, (struct sockaddr *)&a, &n), 0);
	snprintf(p->address, sizeof(p->address), "127.0.0.1:%d", ntohs(a.sin_port));
}

static void teardown(struct pair *p)
{
	remove_identity(p->server_folder, &p->server);
	remove_identity(p->client_folder, &p->client);
	close(p->listen_fd);
}

/* Says back what one client says. */
static void *serve(void *arg)
{
	struct pair *p = arg;
	struct stream s = STREAM_INIT;
	char word[5];

	p->result = peer_accept(&p->server, accept(p->listen_fd, NULL, NULL), &s, p->seen, NULL);
	if (p->result == 0 && stream_read(&s, word, sizeof(word)) == sizeof(word))
		p->result = stream_write(&s, word, sizeof(word));
	stream_close(&s);
	return NULL;
}

TEST(both_sides_know_each_other)
{
	struct pair p = { 0 };
	struct stream s = STREAM_INIT;
	char word[5] = "";
	pthread_t thread;

	setup(&p);
	assert_string_not_equal(p.server.fingerprint, p.client.fingerprint);
	assert_int_equal(pthread_create(&thread, NULL, serve, &p), 0);
	assert_int_equal(peer_connect(&p.client, p.address, p.server.fingerprint, &s, NULL), 0);
	assert_int_equal(stream_write(&s, "hello", 5), 0);
	assert_int_equal(stream_read(&s, word, 5), 5);
	assert_memory_equal(word, "hello", 5);
	stream_close(&s);
	pthread_join(thread, NULL);
	assert_int_equal(p.result, 0);
	assert_string_equal(p.seen, p.client.fingerprint);
	teardown(&p);
}

TEST(another_certificate_is_refused)
{
	struct error err = ERROR_INIT;
	struct pair p = { 0 };
	struct stream s = STREAM_INIT;
	pthread_t thread;

	setup(&p);
	assert_int_equal(pthread_create(&thread, NULL, serve, &p), 0);
	assert_int_not_equal(peer_connect(&p.client, p.address, p.client.fingerprint, &s, &err), 0);
	assert_non_null(strstr(err.msg, "certificate is not that of the node's annotation"));
	assert_int_equal(s.fd, -1);
	pthread_join(thread, NULL);
	teardown(&p);
}

TEST(the_key_is_kept_and_readable_by_its_owner_alone)
{
	char folder[64];
	struct identity first, second;
	struct stat st;

	make_identity(folder, &first);
	AUTO_FREE char *path = xasprintf("%s/identity.pem", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(identity_open(folder, "n", &second, NULL), 0);
	assert_string_equal(first.fingerprint, second.fingerprint);
	identity_close(&first);
	remove_identity(folder, &second);
}

/* As after a crash in the middle of writing it. */
TEST(a_broken_key_is_replaced)
{
	char folder[64];
	struct error err = ERROR_INIT;
	struct identity first, second;

	make_identity(folder, &first);
	AUTO_FREE char *path = xasprintf("%s/identity.pem", folder);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(identity_open(folder, "n", &second, &err), 0);
	assert_string_not_equal(first.fingerprint, second.fingerprint);
	identity_close(&first);
	remove_identity(folder, &second);
}

TEST(what_is_no_address_is_refused)
{
	static const char *const wrong[] = { "127.0.0.1", "host:80", "127.0.0.1:http",
					     "[::1]",	  ":",	     "" };
	struct pair p = { 0 };

	setup(&p);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct error err = ERROR_INIT;
		struct stream s = STREAM_INIT;

		assert_int_equal(peer_connect(&p.client, wrong[i], "", &s, &err), -EINVAL);
		assert_non_null(strstr(err.msg, "is no IP:PORT"));
	}
	teardown(&p);
}
