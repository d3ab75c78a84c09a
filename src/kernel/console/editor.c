/* editor.c - what the editing keys do to a line. */
#include "console/editor.h"

#include "console/utf8.h"
#include "lib/string.h"

#define SEQUENCE_MAX 4

/* Copies up to SEQUENCE_MAX bytes from offset on; returns how many there are. */
static size_t copy_bytes(const struct editor *e, size_t offset, size_t end, char *to) {
    size_t n = 0;

    while (n < SEQUENCE_MAX && offset + n < end) {
        to[n] = editor_byte(e, offset + n);
        n++;
    }
    return n;
}

size_t editor_character(const struct editor *e, size_t offset, uint32_t *code_point) {
    char bytes[SEQUENCE_MAX];
    size_t n = copy_bytes(e, offset, editor_length(e), bytes);
    int length = utf8_sequence(bytes, n);

    *code_point = length > 0 ? utf8_code_point(bytes, length) : '?';
    return length > 0 ? (size_t)length : 1;
}

size_t editor_length_before(const struct editor *e, size_t offset) {
    char bytes[SEQUENCE_MAX];

    for (size_t length = 2; length <= SEQUENCE_MAX && length <= offset; length++)
        if (copy_bytes(e, offset - length, offset, bytes) == length &&
            utf8_sequence(bytes, length) == (int)length)
            return length;
    return 1;
}

/* Moves bytes over the gap so that the cursor stands at offset. */
static void move_to(struct editor *e, size_t offset) {
    char *tail = e->text + LINE_MAX - e->tail;
    size_t n;

    view_settle(e);
    if (offset < e->head) {
        n = e->head - offset;
        memmove(tail - n, e->text + offset, n);
        e->head -= n;
        e->tail += n;
    } else {
        n = offset - e->head;
        memmove(e->text + e->head, tail, n);
        e->head += n;
        e->tail -= n;
    }
}

void editor_begin(struct editor *e, char *text) {
    e->text = text;
    e->head = e->tail = 0;
    e->too_long = false;
    view_begin(e);
}

void editor_insert(struct editor *e, uint8_t byte) {
    if (editor_length(e) == LINE_MAX) {
        e->too_long = true;
        return;
    }
    e->text[e->head++] = (char)byte;
    view_inserted(e);
}

/* Where the word in front of the cursor begins: blanks, then everything up to the next blank. */
static size_t word_start(const struct editor *e) {
    size_t at = e->head;

    while (at > 0 && editor_byte(e, at - 1) == ' ')
        at--;
    while (at > 0 && editor_byte(e, at - 1) != ' ')
        at--;
    return at;
}

void editor_left(struct editor *e) {
    if (e->head > 0)
        move_to(e, e->head - editor_length_before(e, e->head));
}

void editor_right(struct editor *e) {
    uint32_t code_point;

    if (e->tail > 0)
        move_to(e, e->head + editor_character(e, e->head, &code_point));
}

void editor_word_left(struct editor *e) {
    move_to(e, word_start(e));
}

void editor_word_right(struct editor *e) {
    size_t at = e->head, end = editor_length(e);

    while (at < end && editor_byte(e, at) == ' ')
        at++;
    while (at < end && editor_byte(e, at) != ' ')
        at++;
    move_to(e, at);
}

void editor_home(struct editor *e) {
    move_to(e, 0);
}

void editor_end(struct editor *e) {
    move_to(e, editor_length(e));
}

/* Removes everything from offset up to the cursor. */
static void erase_from(struct editor *e, size_t offset) {
    char last = e->head > 0 ? e->text[e->head - 1] : '\0';
    bool single = e->head - offset == 1;

    view_settle(e);
    if (offset < e->head) {
        e->head = offset;
        if (!single || !view_erased_last(e, last))
            view_changed(e, offset);
    }
    if (editor_length(e) == 0)
        e->too_long = false;
}

void editor_erase_before(struct editor *e) {
    erase_from(e, e->head > 0 ? e->head - editor_length_before(e, e->head) : 0);
}

void editor_erase_after(struct editor *e) {
    uint32_t code_point;

    if (e->tail == 0)
        return;
    view_settle(e);
    e->tail -= editor_character(e, e->head, &code_point);
    view_changed(e, e->head);
}

void editor_kill_word(struct editor *e) {
    erase_from(e, word_start(e));
}

void editor_kill_before(struct editor *e) {
    erase_from(e, 0);
}

void editor_kill_after(struct editor *e) {
    if (e->tail == 0)
        return;
    view_settle(e);
    e->tail = 0;
    view_changed(e, e->head);
}

void editor_set(struct editor *e, const char *text, size_t length) {
    view_settle(e);
    memcpy(e->text, text, length);
    e->head = length;
    e->tail = 0;
    e->too_long = false;
    view_changed(e, 0);
}
