#include "say.h"

#include <stdarg.h>
#include <stdio.h>

void say(const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    fprintf(stderr, "hefery-pacer: %s\n", line);
}
