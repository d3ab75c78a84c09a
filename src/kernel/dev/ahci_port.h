/* ahci_port.h - one AHCI port: registers, start and stop, and one command at a time. Names and
 * section numbers as in Serial ATA AHCI 1.3.1. */
#ifndef KERNEL_DEV_AHCI_PORT_H
#define KERNEL_DEV_AHCI_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "dev/ata.h"
#include "dev/block.h"

/* Port registers, section 3.3. */
struct ahci_port_regs {
    uint32_t clb, clbu, fb, fbu;
    uint32_t is, ie, cmd, reserved0;
    uint32_t tfd, sig, ssts, sctl;
    uint32_t serr, sact, ci, sntf;
    uint32_t fbs, devslp, reserved1[10], vendor[4];
};
_Static_assert(sizeof(struct ahci_port_regs) == 0x80, "ports are 0x80 bytes apart");

/* Generic host control, section 3.1, followed by the ports. */
struct ahci_regs {
    uint32_t cap, ghc, is, pi, vs, ccc_ctl, ccc_ports, em_loc, em_ctl, cap2, bohc;
    uint32_t reserved[53];
    struct ahci_port_regs port[32];
};
_Static_assert(sizeof(struct ahci_regs) == 0x1100, "layout of section 3");

#define AHCI_CAP_S64A (1u << 31)
#define AHCI_CAP_SCLO (1u << 24)

#define AHCI_GHC_AE (1u << 31) /* AHCI rather than legacy mode */
#define AHCI_GHC_IE (1u << 1)
#define AHCI_GHC_HR (1u << 0) /* reset the whole controller */

/* Largest transfer of one command: fits one PRD (4 MiB), and a slow disk moves it within the
 * time-out. */
#define AHCI_COMMAND_BYTES (1u << 20)

struct ahci_port {
    volatile struct ahci_regs *hba;
    volatile struct ahci_port_regs *regs; /* one of hba->port */
    struct ahci_memory *memory;           /* command list, FIS area and command table: one page */
    uint8_t *bounce;                      /* below 4 GiB; NULL when the HBA reaches all of memory */
    struct ata_identity id;
};

/* Switches to AHCI mode with interrupts off: commands are polled. */
void ahci_enable(volatile struct ahci_regs *hba);
/* Looks for a SATA disk, gives the port its memory and starts it. false: no disk. */
bool ahci_port_open(struct ahci_port *port);
/* Stops the port and frees its memory: for ports whose disk turns out unusable. */
void ahci_port_close(struct ahci_port *port);

struct ahci_command {
    uint8_t command;
    bool write; /* data goes to the disk */
    uint64_t lba;
    uint32_t count; /* sectors, as the command says it */
    void *buffer;
    uint32_t bytes;    /* even, <= AHCI_COMMAND_BYTES; 0: no data */
    uint32_t ms;       /* how long it may take */
    unsigned attempts; /* >= 1 */
};

/* Runs one ATA command. After a failure the port, after a time-out the controller, is reset and the
 * command tried again, as often as it says. A BLOCK_ result. */
int ahci_port_command(struct ahci_port *port, const struct ahci_command *command);

#endif
