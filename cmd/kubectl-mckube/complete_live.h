/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_COMPLETE_LIVE_H
#define MCKUBE_CMD_COMPLETE_LIVE_H

#include "command.h"

/* Words that only a kubeconfig or an API server knows, for completion: one a line, those that begin
 * with `typed`. The connection is the one that the words typed so far choose (cli->live). Errors
 * are not reported: there are fewer words then, those that came within
 * COMPLETE_LIST_MS. Where even more hangs than a server, such as a credential plugin, the program
 * ends without words after COMPLETE_MS. There is no prompt on the terminal. */

enum { COMPLETE_LIST_MS = 1500, COMPLETE_MS = 1800 };

void complete_contexts(struct cli *cli, const char *typed, struct str *out);
void complete_clusters(struct cli *cli, const char *typed, struct str *out);
void complete_users(struct cli *cli, const char *typed, struct str *out);
void complete_namespaces(struct cli *cli, const char *typed, struct str *out);

/* "node/NAME", "pod/NAME" and "wo/NAME", as status takes them, without nodes, as explain does, and
 * pods only; pods and optimizers of --namespace. */
void complete_refs(struct cli *cli, const char *typed, struct str *out);
void complete_workloads(struct cli *cli, const char *typed, struct str *out);
/* Names of nodes, without a kind. */
void complete_nodes(struct cli *cli, const char *typed, struct str *out);
void complete_pods(struct cli *cli, const char *typed, struct str *out);

/* Before the words are written: from here on the program no longer ends without them. */
void complete_in_time(void);

#endif
