# Run by ctest with what whynot_add_conformance wrote: one test for each check that the program lists.

execute_process(COMMAND ${program} plugins check --list --json OUTPUT_VARIABLE list RESULT_VARIABLE result ERROR_QUIET)
string(REGEX MATCHALL "\"check\":\"[a-z0-9-]+\"" checks "${list}")
if(NOT result EQUAL 0 OR NOT checks)
    add_test(conformance.${name}_NOT_BUILT ${program}) # fails, and so says what is missing
endif()
foreach(check IN LISTS checks)
    string(REGEX REPLACE ".*:\"(.*)\"" "\\1" check "${check}")
    list(FIND except ${check} place) # IN_LIST would want a policy, and this is no project
    if(NOT place EQUAL -1)
        continue()
    endif()
    set(test conformance.${name}.${check})
    add_test(${test} ${program} plugins check ${plugin} --only ${check} --timeout 240 ${options})
    set_tests_properties(${test} PROPERTIES SKIP_REGULAR_EXPRESSION "^skipped" TIMEOUT 300 ENVIRONMENT OMP_NUM_THREADS=1)
endforeach()
