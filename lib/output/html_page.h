/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_HTML_PAGE_H
#define MCKUBE_OUTPUT_HTML_PAGE_H

/* The fixed parts of the plan's page: lib/output/page.css and page.js, put into the program by the
 * build. */
extern const char html_style[], html_script[];

#endif
