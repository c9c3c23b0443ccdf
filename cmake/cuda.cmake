# What SOTER_CUDA needs, found or named. Included by the top CMakeLists.txt; without SOTER_CUDA it changes nothing.

# A program and the backends that it loads must be of one build (untrusted/backend/module.h).
set(SOTER_BUILD "${PROJECT_VERSION} ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_BUILD_TYPE}")

# With AUTO the backend is built where all three are, and left out, with a word, where they are not.
if(NOT SOTER_CUDA)
  return()
endif()

# soter_without_cuda(WHAT): an error for those who asked for CUDA, a line for the others. Call and then return().
macro(soter_without_cuda WHAT)
  if(NOT SOTER_CUDA STREQUAL "AUTO")
    message(FATAL_ERROR "SOTER_CUDA needs ${WHAT}")
  endif()
  message(STATUS "The CUDA backend is left out: it needs ${WHAT}")
  set(SOTER_CUDA OFF)
endmacro()

find_program(NVCC nvcc HINTS ENV CUDAToolkit_ROOT ENV CUDA_HOME PATHS /usr/local/cuda PATH_SUFFIXES bin)
if(NOT NVCC)
  soter_without_cuda("nvcc: install a CUDA toolkit, or set CUDAToolkit_ROOT to the one there is")
  return()
endif()
if(NOT DEFINED CUDAToolkit_ROOT AND NOT DEFINED ENV{CUDAToolkit_ROOT})
  get_filename_component(CUDAToolkit_ROOT "${NVCC}/../.." REALPATH)
endif()
find_package(CUDAToolkit QUIET)
if(NOT CUDAToolkit_FOUND OR NOT TARGET CUDA::cublasLt)
  soter_without_cuda("the CUDA toolkit's own libraries, cuBLASLt among them")
  return()
endif()
find_library(CUDNN_LIBRARY NAMES cudnn libcudnn.so.9 PATHS ${CUDAToolkit_LIBRARY_DIR})
find_path(CUDNN_INCLUDE cudnn.h PATHS ${CUDAToolkit_INCLUDE_DIRS})
if(NOT CUDNN_LIBRARY OR NOT CUDNN_INCLUDE)
  soter_without_cuda("cuDNN 9: cudnn.h and libcudnn.so.9 beside the CUDA toolkit, or where CMAKE_PREFIX_PATH points")
  return()
endif()

# Machine code for data-centre GPUs of Ampere and Hopper, PTX for what is older (from Turing) and newer.
set(CMAKE_CUDA_ARCHITECTURES "75-virtual;80-real;90" CACHE STRING "GPUs to generate code for")
set(CMAKE_CUDA_COMPILER ${NVCC} CACHE FILEPATH "")
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  soter_without_cuda("an nvcc that works with this compiler; ${NVCC} does not")
  return()
endif()
enable_language(CUDA)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know how recent versions of nvcc spell it
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
endif()
message(STATUS "The CUDA backend is built: nvcc ${CMAKE_CUDA_COMPILER_VERSION}, for ${CMAKE_CUDA_ARCHITECTURES}")
