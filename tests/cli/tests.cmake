# The command line, as scripts rely on it: the program itself runs, with the plugins points, dots and toy, and packs made on the spot.
set(whynot_cli_plugins ${CMAKE_BINARY_DIR}/tests/plugins/cli)
whynot_add_plugin(toy cli/toy.cpp OUTPUT_DIRECTORY ${whynot_cli_plugins})
whynot_add_plugin(dots plugin/points.cpp OUTPUT_DIRECTORY ${whynot_cli_plugins}/images)
target_compile_definitions(dots PRIVATE POINTS_ARE_IMAGES)
foreach(plugin toy dots)
    whynot_warnings(${plugin})
endforeach()

whynot_unit_test(cli whynot_core nlohmann_json::nlohmann_json)
target_compile_definitions(cli_test PRIVATE
    WHYNOT_PROGRAM="$<TARGET_FILE:whynot_program>" WHYNOT_EXAMPLE="$<TARGET_FILE:explain_sentence>"
    WHYNOT_TEST_PLUGINS="${CMAKE_BINARY_DIR}/tests/plugins" WHYNOT_CLI_PLUGINS="${whynot_cli_plugins}"
    WHYNOT_EXPERIMENT_PLUGINS="${CMAKE_BINARY_DIR}/tests/plugins/experiment"
    WHYNOT_BUILT_PACKS="${CMAKE_BINARY_DIR}/${CMAKE_INSTALL_DATADIR}/whynot/packs")
add_dependencies(cli_test whynot_program points dots toy coins twins speechless explain_sentence)

whynot_unit_test(cli_bench whynot nlohmann_json::nlohmann_json)
target_compile_definitions(cli_bench_test PRIVATE
    WHYNOT_PROGRAM="$<TARGET_FILE:whynot_program>" WHYNOT_TEST_PLUGINS="${CMAKE_BINARY_DIR}/tests/plugins")
add_dependencies(cli_bench_test whynot_program points)

whynot_unit_test(cli_stream whynot_core nlohmann_json::nlohmann_json)
target_compile_definitions(cli_stream_test PRIVATE
    WHYNOT_PROGRAM="$<TARGET_FILE:whynot_program>" WHYNOT_TEST_PLUGINS="${CMAKE_BINARY_DIR}/tests/plugins"
    WHYNOT_CLI_PLUGINS="${whynot_cli_plugins}")
add_dependencies(cli_stream_test whynot_program points dots)

# The same stream under MPI; where CMake found none the tests say that they are skipped.
whynot_unit_test(mpi whynot_core nlohmann_json::nlohmann_json)
target_compile_definitions(mpi_test PRIVATE
    WHYNOT_PROGRAM="$<TARGET_FILE:whynot_program>" WHYNOT_TEST_PLUGINS="${CMAKE_BINARY_DIR}/tests/plugins"
    WHYNOT_FAULTY_PLUGIN="${CMAKE_BINARY_DIR}/tests/plugins/conformance/faulty.so")
add_dependencies(mpi_test whynot_program points faulty)
if(TARGET whynot_mpi)
    target_compile_definitions(mpi_test PRIVATE WHYNOT_MPI_PROGRAM="$<TARGET_FILE:whynot_mpi>")
    add_dependencies(mpi_test whynot_mpi)
else()
    target_compile_definitions(mpi_test PRIVATE WHYNOT_MPI_PROGRAM="")
endif()

# docs/streams.md, every command of it.
foreach(engine "" parallel sbatch pyspark mpirun)
    set(test cli.streams_md)
    if(engine)
        set(test cli.streams_md_${engine})
    endif()
    add_test(NAME ${test} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/streams_md ${CMAKE_BINARY_DIR} ${engine})
    set_tests_properties(${test} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300 ENVIRONMENT OMP_NUM_THREADS=1)
endforeach()
