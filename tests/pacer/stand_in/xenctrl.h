/* A guest that can be suspended and resumed, in place of libxenctrl's. */
#ifndef STAND_IN_XENCTRL_H
#define STAND_IN_XENCTRL_H

#include <stdbool.h>
#include <stdint.h>

struct xc_interface_core;

int xc_domain_resume(struct xc_interface_core *xch, uint32_t domid, int fast);
void guest_suspend(void);
bool guest_runs(void);

#endif
