/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_TRANSFER_H
#define MCKUBE_KUBE_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

/* libcurl's transfers over epoll: a connection that is silent costs nothing, however many there
 * are. (curl_multi_perform() looks at every transfer each time, and curl_multi_poll() at every
 * socket.) Transfers are added to `multi`, and what ended is read from it, by its owner, which is
 * kube/http.c alone. */
struct transfer {
	CURLM *multi;
	int epoll, wake_fd;
	bool is_woken;	/* stays so until the owner says that it knows */
	int64_t due_ms; /* clock_ms() when libcurl wants to be called anyway; INT64_MAX: never */
};

/* It must stay where it is until transfer_close(). libcurl keeps so many connections for later. */
void transfer_open(struct transfer *w, unsigned max_connections);
void transfer_close(struct transfer *w);

/* Waits at most timeout_ms until there is something to do, and does it. A signal ends the wait. */
void transfer_step(struct transfer *w, int timeout_ms);

/* Ends the wait; the only function for other threads. */
void transfer_wake(struct transfer *w);

#endif
