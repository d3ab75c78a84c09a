/* scancode.c - tables of the US layout and of the keys that send sequences ("XTerm Control
 * Sequences", PC-style function keys; scan code set 1: IBM PS/2 Technical Reference, keyboards). */
#include "dev/scancode.h"

#include "lib/printf.h"

#define RELEASED 0x80
#define PREFIX_EXTENDED 0xe0
#define PREFIX_PAUSE 0xe1 /* E1 1D 45, E1 9D C5: two codes behind it */
#define PAUSE_CODES 2
#define ESC 0x1b

enum {
    CODE_CTRL = 0x1d,
    CODE_SHIFT_LEFT = 0x2a,
    CODE_SLASH = 0x35,
    CODE_SHIFT_RIGHT = 0x36,
    CODE_ALT = 0x38,
    CODE_CAPS = 0x3a,
    CODE_NUM = 0x45,
    CODE_KEYPAD_FIRST = 0x47,
    CODE_KEYPAD_LAST = 0x53,
    CODE_ISO = 0x56, /* the key beside the left Shift of ISO keyboards */
    CODE_ENTER = 0x1c,
};

static const char plain[] =
    "\0\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] =
    "\0\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";
static const char keypad[] = "789-456+1230."; /* CODE_KEYPAD_FIRST on */

/* Keys of the middle block, by the same codes: what stands between ESC [ and the modifiers. */
struct named {
    uint8_t number; /* 0: the final byte alone */
    char final;
};
static const struct named navigation[] = {
    {0, 'H'}, {0, 'A'}, {5, '~'}, {0, 0},   {0, 'D'}, {0, 0},   {0, 'C'},
    {0, 0},   {0, 'F'}, {0, 'B'}, {6, '~'}, {2, '~'}, {3, '~'},
};

static struct key_bytes none(void) {
    return (struct key_bytes){0};
}

static void hold(uint8_t *which, uint8_t bit, bool down) {
    *which = (uint8_t)(down ? *which | bit : *which & ~bit);
}

/* Shift 1, Alt 2, Ctrl 4, as xterm counts them. */
static unsigned modifiers(const struct scancode_state *s) {
    return (s->shift ? 1u : 0u) + (s->alt ? 2u : 0u) + (s->ctrl ? 4u : 0u);
}

static struct key_bytes navigate(const struct scancode_state *s, unsigned index) {
    struct named key = navigation[index];
    unsigned with = modifiers(s);
    struct key_bytes out = none();
    int n;

    if (key.final == 0)
        return out;
    if (with == 1 && (key.number == 5 || key.number == 6)) {
        out.scroll = key.number == 5 ? 1 : -1;
        return out;
    }
    if (with == 0 && key.number == 0)
        n = ksnprintf(out.bytes, sizeof(out.bytes), "\033[%c", key.final);
    else if (with == 0)
        n = ksnprintf(out.bytes, sizeof(out.bytes), "\033[%u%c", key.number, key.final);
    else
        n = ksnprintf(out.bytes, sizeof(out.bytes), "\033[%u;%u%c", key.number ? key.number : 1,
                      with + 1, key.final);
    out.count = (uint8_t)n;
    return out;
}

/* Ctrl with a character: the control byte of its column (ASCII), where there is one. */
static bool control_byte(char *c) {
    if ((*c >= '@' && *c <= '_') || (*c >= 'a' && *c <= 'z'))
        *c &= 0x1f;
    else if (*c == ' ' || *c == '2')
        *c = 0;
    else if (*c == '6')
        *c = 0x1e;
    else if (*c == '-' || *c == '/')
        *c = 0x1f;
    else if (*c == 0x7f)
        *c = '\b';
    else
        return *c == '\r' || *c == '\t' || *c == ESC;
    return true;
}

static struct key_bytes type(const struct scancode_state *s, char c) {
    struct key_bytes out = none();

    if (s->ctrl && !control_byte(&c))
        return out;
    if (s->alt)
        out.bytes[out.count++] = ESC;
    out.bytes[out.count++] = c;
    return out;
}

static struct key_bytes press_keypad(const struct scancode_state *s, unsigned index) {
    bool is_operator = keypad[index] == '-' || keypad[index] == '+';

    if (is_operator || (s->no_num ? s->shift != 0 : s->shift == 0))
        return type(s, keypad[index]);
    return navigate(s, index);
}

static struct key_bytes press(struct scancode_state *s, uint8_t code) {
    bool upper = s->shift != 0;

    if (code >= CODE_KEYPAD_FIRST && code <= CODE_KEYPAD_LAST)
        return press_keypad(s, code - CODE_KEYPAD_FIRST);
    if (code == CODE_ISO)
        return type(s, upper ? '|' : '\\');
    if (code >= sizeof(plain) - 1 || plain[code] == 0)
        return none();
    if (plain[code] >= 'a' && plain[code] <= 'z')
        upper = upper != s->caps;
    if (code == 0x0f && upper && !s->ctrl) /* Shift-Tab */
        return (struct key_bytes){.count = 3, .bytes = "\033[Z"};
    return type(s, upper ? shifted[code] : plain[code]);
}

static struct key_bytes press_extended(struct scancode_state *s, uint8_t code) {
    if (code == CODE_ENTER)
        return type(s, '\r');
    if (code == CODE_SLASH)
        return type(s, '/');
    if (code >= CODE_KEYPAD_FIRST && code <= CODE_KEYPAD_LAST)
        return navigate(s, code - CODE_KEYPAD_FIRST);
    return none();
}

/* True for a key that changes the meaning of others. */
static bool modify(struct scancode_state *s, uint8_t code, bool extended, bool down) {
    switch (code) {
    case CODE_CTRL:
        hold(&s->ctrl, extended ? 2 : 1, down);
        return true;
    case CODE_ALT:
        hold(&s->alt, extended ? 2 : 1, down);
        return true;
    case CODE_SHIFT_LEFT:
    case CODE_SHIFT_RIGHT: /* extended: what keyboards wrap around keys for old software */
        if (!extended)
            hold(&s->shift, code == CODE_SHIFT_LEFT ? 1 : 2, down);
        return true;
    case CODE_CAPS:
        if (down && !s->caps_is_down)
            s->caps = !s->caps;
        s->caps_is_down = down;
        return true;
    case CODE_NUM:
        if (down && !s->num_is_down)
            s->no_num = !s->no_num;
        s->num_is_down = down;
        return true;
    default:
        return false;
    }
}

struct key_bytes scancode_feed(struct scancode_state *s, uint8_t code) {
    bool extended = s->extended;

    if (s->skip > 0) {
        s->skip--;
        return none();
    }
    s->extended = code == PREFIX_EXTENDED;
    if (code == PREFIX_PAUSE)
        s->skip = PAUSE_CODES;
    if (code == PREFIX_EXTENDED || code == PREFIX_PAUSE)
        return none();
    if (modify(s, code & ~RELEASED, extended, !(code & RELEASED)) || (code & RELEASED))
        return none();
    return extended ? press_extended(s, code) : press(s, code);
}
