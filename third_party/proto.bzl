"""C++ stubs from .proto files, made by Debian's protoc and its gRPC plug-in."""

def cc_proto(name, srcs, deps = [], imports = [], grpc = False, visibility = None):
    """A cc_library of the messages, and with grpc = True of the services too, of `srcs`.

    Args:
      name: the library.
      srcs: .proto files of this package.
      deps: other cc_proto libraries whose messages are used.
      imports: the .proto files (labels) that `srcs` import.
      grpc: whether to make service stubs.
      visibility: of the library.
    """
    stems = [src[:-len(".proto")] for src in srcs]
    outs = [stem + ext for stem in stems for ext in [".pb.h", ".pb.cc"]]
    plugin = ""
    if grpc:
        outs += [stem + ext for stem in stems for ext in [".grpc.pb.h", ".grpc.pb.cc"]]
        plugin = "--plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin --grpc_out=$(GENDIR) "
    native.genrule(
        name = name + "_stubs",
        srcs = srcs + imports,
        outs = outs,
        cmd = "protoc -I. --cpp_out=$(GENDIR) " + plugin +
              " ".join(["$(location %s)" % src for src in srcs]),
        visibility = ["//visibility:private"],
    )
    native.cc_library(
        name = name,
        srcs = [out for out in outs if out.endswith(".cc")],
        hdrs = [out for out in outs if out.endswith(".h")],
        copts = ["-w"],  # generated code is not ours to tidy
        visibility = visibility,
        deps = deps + ["//third_party:grpc" if grpc else "//third_party:protobuf"],
    )
