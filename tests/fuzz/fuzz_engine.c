/* fuzz_engine.c - models for the targets that fuzz texts, and checks of what comes back. */
#include "fuzz_engine.h"

static struct llama_model *open_file(const char *path) {
    FILE *file = fopen(path, "rb");
    REQUIRE(file != NULL && fseek(file, 0, SEEK_END) == 0);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(size);
    REQUIRE(bytes != NULL && fread(bytes, 1, size, file) == size);
    fclose(file);
    struct fluid_error err = {0};
    struct llama_model *m = fluid_alloc(sizeof *m, 64);
    REQUIRE(m != NULL);
    if (open_text(m, bytes, size, &err) != 0) {
        fprintf(stderr, "%s: %s %s\n", path, err.code, err.text);
        exit(2);
    }
    return m;
}

void fuzz_open_models(struct fuzz_models *models) {
    const char *paths = getenv("FUZZ_MODELS");
    if (paths == NULL) {
        fprintf(stderr, "FUZZ_MODELS: paths of models, separated by ':', expected\n");
        exit(2);
    }
    char *list = strdup(paths), *rest = list, *path;
    while ((path = strsep(&rest, ":")) != NULL) {
        REQUIRE(models->count < FUZZ_MODELS_MAX);
        models->model[models->count++] = open_file(path);
    }
    free(list);
}

void fuzz_check_ids(const struct llama_model *m, const int32_t *ids, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        REQUIRE(ids[i] >= 0 && (uint32_t)ids[i] < m->vocab.n);
}

char *fuzz_text(struct llama_model *m, const int32_t *ids, int64_t n, size_t *length) {
    size_t total = 0, at = 0;
    for (int64_t i = 0; i < n; i++)
        total += llama_piece(m, ids[i], i == 0, NULL, 0);
    char *text = malloc(total + 1);
    for (int64_t i = 0; i < n; i++)
        at += llama_piece(m, ids[i], i == 0, text + at, total - at);
    REQUIRE(at == total);
    *length = total;
    return text;
}

bool fuzz_has_space_mark(const void *text, size_t n) {
    return memmem(text, n, SPACE_MARK, SPACE_MARK_SIZE) != NULL;
}
