# `cpack --config BUILD/CPackConfig.cmake [-G "DEB;RPM"]`: packages of the command line and of the node's
# programs. With SOURCE_DATE_EPOCH the same programs give the same bytes.
set(CPACK_GENERATOR DEB)
find_program(RPMBUILD rpmbuild)
if(RPMBUILD)
  list(APPEND CPACK_GENERATOR RPM)
endif()
set(CPACK_PACKAGE_VENDOR kubectl-mckube)
set(CPACK_PACKAGE_CONTACT "kubectl-mckube <noreply@github.com>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL cli)
if(MCKUBE_NODE)
  list(APPEND CPACK_COMPONENTS_ALL node)
endif()
set(CPACK_COMPONENT_CLI_DESCRIPTION "Plans mixed-criticality real-time pods onto the cores of a cluster")
set(CPACK_COMPONENT_NODE_DESCRIPTION "Enforces budgets of real-time pods on a node, and moves pods with their memory")

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_HOMEPAGE https://github.com/kubectl-mckube/kubectl-mckube)
set(CPACK_DEBIAN_CLI_PACKAGE_NAME kubectl-mckube)
set(CPACK_DEBIAN_NODE_PACKAGE_NAME mckube-node)

set(CPACK_RPM_COMPONENT_INSTALL ON)
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE Apache-2.0)
set(CPACK_RPM_PACKAGE_URL https://github.com/kubectl-mckube/kubectl-mckube)
set(CPACK_RPM_CLI_PACKAGE_NAME kubectl-mckube)
set(CPACK_RPM_CLI_PACKAGE_SUMMARY ${CPACK_COMPONENT_CLI_DESCRIPTION})
set(CPACK_RPM_NODE_PACKAGE_NAME mckube-node)
set(CPACK_RPM_NODE_PACKAGE_SUMMARY ${CPACK_COMPONENT_NODE_DESCRIPTION})
# Folders that other packages have.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
  /usr/lib/systemd /usr/lib/systemd/system /usr/share/bash-completion /usr/share/bash-completion/completions
  /usr/share/fish /usr/share/fish/vendor_completions.d /usr/share/man /usr/share/man/man1 /usr/share/man/man8
  /usr/share/zsh /usr/share/zsh/site-functions)
# What is packed was stripped for its machine. The time of the build, its host and the times of files are
# those of SOURCE_DATE_EPOCH.
set(CPACK_RPM_SPEC_MORE_DEFINE "%global __os_install_post %{nil}
%global debug_package %{nil}
%global _build_id_links none
%global _buildhost localhost
%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1")

# libcurl and libmicrohttpd are loaded when they are needed, which neither dpkg-shlibdeps nor rpm sees. A
# static build needs nothing.
if(MCKUBE_STATIC)
  set(CPACK_DEBIAN_PACKAGE_DEPENDS ca-certificates)
  set(CPACK_RPM_PACKAGE_REQUIRES ca-certificates)
  set(CPACK_RPM_PACKAGE_AUTOREQ no)
else()
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_PACKAGE_DEPENDS "libcurl4, libmicrohttpd12, ca-certificates")
  set(CPACK_RPM_PACKAGE_REQUIRES "libcurl.so.4()(64bit), libmicrohttpd.so.12()(64bit), ca-certificates")
endif()
if(MCKUBE_ARCH)
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE ${MCKUBE_ARCH})
  set(CPACK_RPM_PACKAGE_ARCHITECTURE ${CMAKE_SYSTEM_PROCESSOR})
endif()
include(CPack)
