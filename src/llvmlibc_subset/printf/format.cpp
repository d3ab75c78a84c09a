/* format.cpp - printf to a buffer and to a function, with llvm-libc's formatter, which offers the
 * second in C++ only. */
#include "printf/format.h"

#include "src/__support/CPP/string_view.h"
#include "src/__support/arg_list.h"
#include "src/stdio/printf_core/printf_main.h"
#include "src/stdio/printf_core/writer.h"

using namespace LIBC_NAMESPACE;

namespace {

struct Target {
    format_write *write;
    void *context;
};

int write_piece(cpp::string_view text, void *target) {
    auto *to = static_cast<Target *>(target);
    return to->write(text.data(), text.size(), to->context);
}

} // namespace

extern "C" int format_to(char *to, size_t size, const char *format, va_list args) {
    internal::ArgList list(args);
    printf_core::WriteBuffer text(to, size > 0 ? size - 1 : 0);
    printf_core::Writer writer(&text);
    int length = printf_core::printf_main(&writer, format, list);
    if (size > 0)
        to[text.buff_cur] = '\0';
    return length;
}

extern "C" int format_through(char *buffer, size_t size, format_write *write, void *context,
                              const char *format, va_list args) {
    Target target{write, context};
    internal::ArgList list(args);
    printf_core::WriteBuffer pieces(buffer, size, write_piece, &target);
    printf_core::Writer writer(&pieces);
    int length = printf_core::printf_main(&writer, format, list);
    int flushed = length >= 0 ? pieces.overflow_write("") : length;
    return flushed < 0 ? flushed : length;
}
