/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_STATUS_WATCH_H
#define MCKUBE_CMD_STATUS_WATCH_H

#include "output/status.h"

#include "command.h"

/* Prints the listing, then each row that is new or has changed, until SIGINT or SIGTERM: as
 * `kubectl get --watch` does. Of a pod that is gone nothing more is printed. Returns the exit code.
 */
int status_watch(struct cli *cli, const struct status_view *view, enum format format,
		 struct error *err);

#endif
