/* argument.c - TEXT in a command may be given as base64. */
#include "console/argument.h"

#include "console/base64.h"
#include "console/event.h"
#include "lib/string.h"

#define BASE64_PREFIX "base64:"

bool argument_text(char **text, size_t *length) {
    size_t prefix = strlen(BASE64_PREFIX);
    struct fluid_error err;
    int64_t n;

    if (*length < prefix || memcmp(*text, BASE64_PREFIX, prefix) != 0)
        return true;
    *text += prefix;
    n = base64_decode(*text, *length - prefix);
    if (n < 0) {
        fluid_fail(&err, "E-CON-04",
                   "base64 (RFC 4648, padded) expected behind \"base64:\", found something else");
        report_error(&err);
        return false;
    }
    *length = (size_t)n;
    return true;
}
