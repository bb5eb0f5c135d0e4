# What `version` tells of the tree at a folder: git_version(<folder> <version> <ret version> <ret commit>).
#
# With a tag vN.N.N the version is that of `git describe`: "0.2.0", "0.2.0-7-g0123456789ab" seven commits
# later, "-dirty" with changes that are not committed. Without one it is the version given. The commit is
# empty where there is no git.
function(git_version folder version ret_version ret_commit)
  find_package(Git QUIET)
  set(described "")
  set(commit "")
  if(GIT_FOUND)
    execute_process(
      COMMAND ${GIT_EXECUTABLE} describe --tags "--match=v[0-9]*" --abbrev=12 --dirty
      WORKING_DIRECTORY ${folder}
      OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    execute_process(
      COMMAND ${GIT_EXECUTABLE} describe --always "--match=" --abbrev=12 --dirty
      WORKING_DIRECTORY ${folder}
      OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
  string(REGEX REPLACE "^v" "" described "${described}")
  if(NOT described)
    set(described ${version})
  endif()
  set(${ret_version} ${described} PARENT_SCOPE)
  set(${ret_commit} "${commit}" PARENT_SCOPE)
endfunction()

# cmake -D FOLDER=... -D VERSION=... -P cmd/version.cmake: prints both.
if(CMAKE_SCRIPT_MODE_FILE)
  git_version(${FOLDER} ${VERSION} found commit)
  message(NOTICE "${found} ${commit}")
endif()
