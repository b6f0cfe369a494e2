find_package(PNG REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(turbojpeg REQUIRED IMPORTED_TARGET libturbojpeg)
whynot_unit_test(image_file whynot_image_reading)
target_include_directories(image_file_test PRIVATE ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(image_file_test PRIVATE PNG::PNG PkgConfig::turbojpeg GIF::GIF) # it writes the files to read

# The same code once more, with the sanitizers in every build: what reads strangers' bytes has to bear any.
add_executable(image_file_fuzz image_file/fuzz.cpp ${PROJECT_SOURCE_DIR}/plugins/image/image_file.cpp ${PROJECT_SOURCE_DIR}/sdk/src/core/error.cpp)
target_include_directories(image_file_fuzz PRIVATE ${CMAKE_CURRENT_LIST_DIR} ${PROJECT_SOURCE_DIR}/plugins/image ${PROJECT_SOURCE_DIR}/sdk/include)
target_link_libraries(image_file_fuzz PRIVATE PNG::PNG PkgConfig::turbojpeg PkgConfig::exif GIF::GIF)
set_target_properties(image_file_fuzz PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
whynot_warnings(image_file_fuzz)
if(NOT WHYNOT_SANITIZE)
    target_compile_options(image_file_fuzz PRIVATE -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(image_file_fuzz PRIVATE -fsanitize=address,undefined)
endif()
add_test(NAME image_file.fuzz COMMAND image_file_fuzz)
set_tests_properties(image_file.fuzz PROPERTIES TIMEOUT 300)
