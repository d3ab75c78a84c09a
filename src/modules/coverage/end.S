/* end.S - linked last into an instrumented module: where its profile sections end. */
    .section __llvm_prf_data, "aw", @progbits
    .globl coverage_data_end
    .hidden coverage_data_end
coverage_data_end:

    .section __llvm_prf_cnts, "aw", @progbits
    .globl coverage_counters_end
    .hidden coverage_counters_end
coverage_counters_end:

    .section __llvm_prf_names, "a", @progbits
    .globl coverage_names_end
    .hidden coverage_names_end
coverage_names_end:

    .section .note.GNU-stack, "", @progbits
