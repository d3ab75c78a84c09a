/* ahci_port.c - starting, stopping, resetting one AHCI port and running one command at a time in
 * its slot 0, by polling. Names and section numbers as in Serial ATA AHCI 1.3.1. */
#include "dev/ahci_port.h"

#include <stddef.h>

#include "arch/x86/time.h"
#include "lib/string.h"
#include "mm/pages.h"

#define CMD_ST (1u << 0)  /* process the command list */
#define CMD_SUD (1u << 1) /* spin up the device */
#define CMD_POD (1u << 2) /* power the device */
#define CMD_CLO (1u << 3) /* clear BSY and DRQ */
#define CMD_FRE (1u << 4) /* receive FISes */
#define CMD_FR (1u << 14) /* FIS receive running */
#define CMD_CR (1u << 15) /* command list running */
#define CMD_ICC_ACTIVE (1u << 28)
#define CMD_ICC_MASK (0xfu << 28)

#define IS_TFES (1u << 30) /* task file error */
#define IS_HBFS (1u << 29) /* host bus fatal */
#define IS_HBDS (1u << 28) /* host bus data */
#define IS_IFS (1u << 27)  /* interface fatal */
#define IS_OFS (1u << 24)  /* overflow: more data than the PRDT describes */
#define IS_ERRORS (IS_TFES | IS_HBFS | IS_HBDS | IS_IFS | IS_OFS)

#define SSTS_DET_MASK 0xfu
#define SSTS_DET_PRESENT 0x1u
#define SSTS_DET_READY 0x3u
#define SCTL_DET_MASK 0xfu
#define SCTL_DET_RESET 0x1u
#define SIGNATURE_DISK 0x00000101u
#define SIGNATURE_NONE 0xffffffffu

#define FIS_HOST_TO_DEVICE 0x27
#define FIS_COMMAND 0x80 /* the FIS carries a command, not device control */
#define FIS_DWORDS 5
#define HEADER_WRITE (1u << 6) /* of a command header's flags */

/* Times in milliseconds: sections 10.1.2, 10.10 and 10.4.3. */
#define STOP_MS 500
#define LINK_MS 20
#define LINK_RESET_MS 1000
#define READY_MS 10000
#define CONTROLLER_MS 1000

enum outcome { DONE, FAILED, TIMED_OUT };

struct command_header { /* section 4.2.2 */
    uint16_t flags;     /* bits 0..4: length of the command FIS in dwords */
    uint16_t prd_count;
    volatile uint32_t bytes; /* transferred; written by the HBA */
    uint32_t table_low, table_high;
    uint32_t reserved[4];
};

struct command_table { /* section 4.2.3 */
    uint8_t fis[64];
    uint8_t atapi[64];
    struct {
        uint32_t low, high, reserved;
        uint32_t last_byte; /* byte count - 1 in bits 0..21 */
    } prd;
};

/* What the HBA reads and writes; the alignments of section 3.3.1 to 4.2.2 follow from the order. */
struct ahci_memory {
    struct command_header list[32];           /* 1 KiB-aligned */
    uint8_t received_fis[256];                /* 256-byte-aligned */
    _Alignas(128) struct command_table table; /* 128-byte-aligned */
};
_Static_assert(sizeof(struct ahci_memory) <= PAGE_SIZE, "one page per port");
_Static_assert(offsetof(struct ahci_memory, received_fis) % 256 == 0, "section 3.3.3");

/* Waits until (*reg & mask) == value. */
static bool wait_for(const volatile uint32_t *reg, uint32_t mask, uint32_t value, uint32_t ms) {
    uint64_t start = time_ms();
    while ((*reg & mask) != value) {
        if (time_ms() - start > ms)
            return false;
        time_delay_us(ATA_POLL_US);
    }
    return true;
}

static bool wait_idle(struct ahci_port *port, uint32_t ms) {
    return wait_for(&port->regs->tfd, ATA_STATUS_BSY | ATA_STATUS_DRQ, 0, ms);
}

static bool link_up(struct ahci_port *port, uint32_t ms) {
    return wait_for(&port->regs->ssts, SSTS_DET_MASK, SSTS_DET_READY, ms);
}

/* Section 10.1.2, step 3: the list first, then FIS reception. */
static bool stop(struct ahci_port *port) {
    volatile struct ahci_port_regs *r = port->regs;
    r->cmd &= ~CMD_ST;
    if (!wait_for(&r->cmd, CMD_CR, 0, STOP_MS))
        return false;
    r->cmd &= ~CMD_FRE;
    return wait_for(&r->cmd, CMD_FR, 0, STOP_MS);
}

static void clear_errors(struct ahci_port *port) {
    port->regs->serr = 0xffffffff; /* bits are cleared by writing ones */
    port->regs->is = 0xffffffff;
}

/* Section 10.3.1: ST may be set only when the device is there and idle. */
static bool start(struct ahci_port *port, uint32_t ms) {
    volatile struct ahci_port_regs *r = port->regs;
    r->cmd |= CMD_FRE;
    if (!link_up(port, LINK_MS))
        return false;
    if (!wait_idle(port, ms)) {
        if (!(port->hba->cap & AHCI_CAP_SCLO))
            return false;
        r->cmd |= CMD_CLO;
        if (!wait_for(&r->cmd, CMD_CLO, 0, STOP_MS) || !wait_idle(port, STOP_MS))
            return false;
    }
    clear_errors(port);
    r->cmd |= CMD_ST;
    return true;
}

/* COMRESET, section 10.4.2. FIS reception is on so that the signature arrives. */
static bool reset_link(struct ahci_port *port) {
    volatile struct ahci_port_regs *r = port->regs;
    stop(port);
    r->cmd |= CMD_FRE;
    r->sctl = (r->sctl & ~SCTL_DET_MASK) | SCTL_DET_RESET;
    time_delay_us(2000); /* at least 1 ms */
    r->sctl &= ~SCTL_DET_MASK;
    if (!link_up(port, LINK_RESET_MS))
        return false;
    clear_errors(port);
    return wait_idle(port, READY_MS);
}

void ahci_enable(volatile struct ahci_regs *hba) {
    hba->ghc |= AHCI_GHC_AE;
    hba->ghc &= ~AHCI_GHC_IE;
}

/* Section 10.4.3. The other ports come back when they are used next: their ST is off. */
static bool reset_controller(struct ahci_port *port) {
    port->hba->ghc |= AHCI_GHC_HR;
    if (!wait_for(&port->hba->ghc, AHCI_GHC_HR, 0, CONTROLLER_MS))
        return false;
    ahci_enable(port->hba);
    return true;
}

/* Power, spin-up and link of a port that the firmware may not have used. true: a disk answers. */
static bool connect(struct ahci_port *port, uint32_t link_ms) {
    volatile struct ahci_port_regs *r = port->regs;
    r->cmd = (r->cmd & ~CMD_ICC_MASK) | CMD_SUD | CMD_POD | CMD_ICC_ACTIVE;
    if (!link_up(port, link_ms)) {
        if ((r->ssts & SSTS_DET_MASK) != SSTS_DET_PRESENT)
            return false; /* nothing connected */
        if (!reset_link(port))
            return false;
    }
    r->cmd |= CMD_FRE;
    if (r->sig == SIGNATURE_NONE && !reset_link(port))
        return false;
    if (!wait_idle(port, READY_MS) && !reset_link(port)) /* a drive that hangs */
        return false;
    return r->sig == SIGNATURE_DISK;
}

/* From any state to running, section 10.1.2. link_ms: how long a link may take to come up. */
static bool bring_up(struct ahci_port *port, uint32_t link_ms) {
    volatile struct ahci_port_regs *r = port->regs;
    r->ie = 0;
    if (!stop(port) && (!reset_link(port) || !stop(port)))
        return false;
    r->clb = (uint32_t)(uintptr_t)port->memory->list;
    r->clbu = 0;
    r->fb = (uint32_t)(uintptr_t)port->memory->received_fis;
    r->fbu = 0;
    clear_errors(port);
    return connect(port, link_ms) && start(port, READY_MS);
}

/* After an error: section 6.2.2. A device that is idle needs only a restart of the port. After a
 * time-out the command is still under way; of the resets that end it, only the controller's may be
 * used while ST is on, and QEMU 7.2 crashes when ST is switched off under a running transfer. */
static bool recover(struct ahci_port *port, enum outcome failure) {
    if (failure == TIMED_OUT)
        return reset_controller(port) && bring_up(port, LINK_RESET_MS);
    if (stop(port) && link_up(port, 0) && wait_idle(port, 0))
        return start(port, READY_MS);
    return reset_link(port) && bring_up(port, LINK_RESET_MS);
}

static bool is_lba28(uint8_t command) {
    return command == ATA_READ_DMA || command == ATA_WRITE_DMA;
}

static void build_command(struct ahci_port *port, const struct ahci_command *c) {
    struct ahci_memory *m = port->memory;
    uint64_t table = (uintptr_t)&m->table, target = (uintptr_t)c->buffer;
    memset(&m->table, 0, sizeof(m->table));
    if (c->bytes > 0) {
        m->table.prd.low = (uint32_t)target;
        m->table.prd.high = (uint32_t)(target >> 32);
        m->table.prd.last_byte = c->bytes - 1;
    }

    uint8_t *fis = m->table.fis; /* register FIS, Serial ATA 3.0 section 10.3.4 */
    fis[0] = FIS_HOST_TO_DEVICE;
    fis[1] = FIS_COMMAND;
    fis[2] = c->command;
    for (unsigned i = 0; i < 3; i++) {
        fis[4 + i] = c->lba >> 8 * i & 0xff;
        fis[8 + i] = c->lba >> (24 + 8 * i) & 0xff;
    }
    fis[7] = ATA_DEVICE_LBA;
    if (is_lba28(c->command)) { /* the top four bits sit in the device register */
        fis[7] |= c->lba >> 24 & 0xf;
        fis[8] = 0;
    }
    fis[12] = c->count & 0xff;
    fis[13] = c->count >> 8 & 0xff;

    m->list[0] = (struct command_header){
        .flags = FIS_DWORDS | (c->write ? HEADER_WRITE : 0),
        .prd_count = c->bytes > 0,
        .table_low = (uint32_t)table,
        .table_high = (uint32_t)(table >> 32),
    };
}

static enum outcome run_once(struct ahci_port *port, const struct ahci_command *c) {
    volatile struct ahci_port_regs *r = port->regs;
    port->memory->list[0].bytes = 0;
    r->is = 0xffffffff;
    compiler_barrier(); /* x86 keeps the order of stores */
    r->ci = 1;
    uint64_t begin = time_ms();
    while (r->ci & 1) {
        if (r->is & IS_ERRORS)
            return FAILED;
        if (time_ms() - begin > c->ms)
            return TIMED_OUT;
        time_delay_us(ATA_POLL_US);
    }
    compiler_barrier();
    if (r->is & IS_ERRORS || r->tfd & (ATA_STATUS_ERR | ATA_STATUS_DF))
        return FAILED;
    return port->memory->list[0].bytes == c->bytes ? DONE : FAILED;
}

int ahci_port_command(struct ahci_port *port, const struct ahci_command *command) {
    bool stopped = !(port->regs->cmd & CMD_ST); /* by a reset that another port needed */
    if (stopped && !bring_up(port, LINK_RESET_MS))
        return BLOCK_TIMED_OUT;
    for (unsigned attempt = 1;; attempt++) {
        build_command(port, command);
        enum outcome outcome = run_once(port, command);
        if (outcome == DONE)
            return BLOCK_DONE;
        bool usable = recover(port, outcome); /* also after the last: other sectors may be sound */
        if (!usable || attempt == command->attempts)
            return outcome == TIMED_OUT ? BLOCK_TIMED_OUT : BLOCK_FAILED;
    }
}

bool ahci_port_open(struct ahci_port *port) {
    port->memory = pages_alloc(1, PAGE_SIZE, 1ull << 32);
    if (!port->memory)
        return false;
    memset(port->memory, 0, PAGE_SIZE);
    if (bring_up(port, LINK_MS))
        return true;
    ahci_port_close(port);
    return false;
}

void ahci_port_close(struct ahci_port *port) {
    /* A page that the HBA may still write FISes into must not be used for anything else. */
    if (stop(port))
        pages_free(port->memory, 1);
    port->memory = NULL;
}
