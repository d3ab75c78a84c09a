/* sample.h - what the two sources of the sample module share. */
#ifndef SAMPLE_H
#define SAMPLE_H

typedef int other_fn(int);
extern int other_value;
other_fn *other_pick(int which);
#endif
