/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_INTERRUPT_H
#define MCKUBE_CMD_INTERRUPT_H

/* SIGINT and SIGTERM let the writes that run come to their ends. The second one of a kind ends the
 * program at once. */

void interrupt_catch(void);

/* "interrupted (SIGINT)"; NULL while nothing was caught. */
const char *interrupt_reason(void);

#endif
