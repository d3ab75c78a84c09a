/* begin.S - linked first into an instrumented module: where its profile sections begin. */
    .section __llvm_prf_data, "aw", @progbits
    .balign 8
    .globl coverage_data_begin
    .hidden coverage_data_begin
coverage_data_begin:

    .section __llvm_prf_cnts, "aw", @progbits
    .balign 8
    .globl coverage_counters_begin
    .hidden coverage_counters_begin
coverage_counters_begin:

    .section __llvm_prf_names, "a", @progbits
    .globl coverage_names_begin
    .hidden coverage_names_begin
coverage_names_begin:

    .section .note.GNU-stack, "", @progbits
