/* model.c - from a disk to a model one can talk to. */
#include "console/model.h"

#include "arch/x86/time.h"
#include "console/event.h"
#include "console/status.h"
#include "fs/partition.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/module.h"
#include "mm/pages.h"

#define MODEL_PATH "MODEL.GGUF"

static struct model model;
static bool usable;

const struct model *model_current(void) {
    return usable ? &model : NULL;
}

const struct model *model_required(void) {
    struct fluid_error err;

    if (usable)
        return &model;
    fluid_fail(
        &err, "E-CON-05",
        "a model expected, none is loaded; the error at boot says why (copy MODEL.GGUF to the "
        "first partition)");
    report_error(&err);
    return NULL;
}

static void show_progress(uint64_t done, uint64_t total) {
    static unsigned shown;
    unsigned percent = total ? (unsigned)(done * 100 / total) : 100;

    if (done == 0 || percent < shown)
        shown = 0;
    if (percent / 10 > shown / 10 || (percent == 100 && shown != 100))
        kprintf(" %u%%", percent);
    if (percent != shown || done == 0)
        status_progress("Loading " MODEL_PATH, percent);
    shown = percent;
}

/* Pages that hold the model file; an empty file has one too, for the engine to judge. */
static size_t file_pages(void) {
    return model.file_size ? (model.file_size - 1) / PAGE_SIZE + 1 : 1;
}

static void free_file(void) {
    pages_free(model.file, file_pages());
    model.file = NULL;
}

/* Reads the model file into 2 MiB-aligned memory. */
static int read_file(struct fluid_error *err) {
    struct fat16 *files = partition_files(err);
    struct fat16_entry entry;
    size_t capacity;

    if (!files || fat16_lookup(files, MODEL_PATH, &entry, err) < 0)
        return -1;
    model.file_size = entry.size;
    capacity = file_pages() * PAGE_SIZE;
    model.file = pages_alloc_for(PAGES_MODEL, file_pages(), LARGE_PAGE_SIZE, 0);
    if (!model.file)
        return fluid_fail(err, "E-MEM-04",
                          "%u MiB of free memory in one piece expected for " MODEL_PATH
                          ", found %u MiB in all; add memory or use a smaller model",
                          (unsigned)(model.file_size >> 20) + 1,
                          (unsigned)((uint64_t)pages_available() * PAGE_SIZE >> 20));
    kprintf("Loading " MODEL_PATH " (%u MiB):", (unsigned)(capacity >> 20));
    if (fat16_read(files, &entry, model.file, capacity, show_progress, err) == 0) {
        kprintf("\n");
        return 0;
    }
    kprintf("\n");
    free_file();
    return -1;
}

static int load(struct fluid_error *err) {
    if (!engine_bind(err) || read_file(err) < 0)
        return -1;
    model.handle = engine_open(model.file, model.file_size, &model.info, err);
    if (model.handle) {
        module_hold(module_of_export("llama_open")); /* the handle is its data */
        return 0;
    }
    free_file();
    return -1;
}

void model_load_default(void) {
    struct fluid_error err;

    usable = load(&err) == 0;
    if (!usable)
        report_error(&err);
}

static void find_variant(const struct loaded_module *module, void *context) {
    const struct loaded_module **lowest = context;

    if (strncmp(module_name(module), "tensor_", 7) != 0)
        return;
    if (!*lowest || module_rank(module) < module_rank(*lowest))
        *lowest = module;
}

const char *model_variant(void) {
    const struct loaded_module *lowest = NULL;

    module_for_each(find_variant, &lowest);
    return lowest ? module_target(lowest) : NULL;
}

void model_ready_event(void) {
    uint64_t total = (uint64_t)pages_total() * PAGE_SIZE;
    uint64_t used = total - (uint64_t)pages_available() * PAGE_SIZE;

    event_begin("ready");
    event_u64("ms", time_ms());
    event_string("model", usable ? model.info.name : NULL);
    event_u64("mem_total", total);
    event_u64("mem_used", used);
    event_string("variant", model_variant());
    event_end();
    if (usable)
        kprintf("%s (%s), context %u tokens. Say something, or /help.\n", model.info.name,
                model.info.quant, model.info.ctx);
}
