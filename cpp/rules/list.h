// Every rule, by its header, which ends with GS_RULE(name) for each rule in it: whoever includes this file
// says what GS_RULE makes of a name. A rule is complete with its header, its line here, its class in
// python/gradstep/rules, its settings in tests/support/cases.py and its float64 reference in
// tests/support/reference.py.
#include "rules/adadelta.h"
#include "rules/adagrad.h"
#include "rules/adam.h"
#include "rules/adam_atan2.h"
#include "rules/adamax.h"
#include "rules/adan.h"
#include "rules/ademamix.h"
#include "rules/adopt.h"
#include "rules/asgd.h"
#include "rules/interpolation.h"
#include "rules/lamb.h"
#include "rules/laprop.h"
#include "rules/lars.h"
#include "rules/lion.h"
#include "rules/nadam.h"
#include "rules/nadamw.h"
#include "rules/prodigy.h"
#include "rules/radam.h"
#include "rules/rmsprop.h"
#include "rules/rprop.h"
#include "rules/schedule_free.h"
#include "rules/sgd.h"
#include "rules/signum.h"
#include "rules/sparse_adam.h"
#include "rules/stable_adamw.h"

// Rules that the tests alone have (tests/support/rules_of_tests), behind those of the library.
#ifdef GRADSTEP_TEST_RULES
#include GRADSTEP_TEST_RULES
#endif
