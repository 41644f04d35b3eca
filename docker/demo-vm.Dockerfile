# A VM to try the gateway with: QEMU without a disk, with its monitor as a socket in /run/qemu.
FROM debian:bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends qemu-system-x86 \
  && rm -rf /var/lib/apt/lists/*
# The gateway's user (node, 1000) must be able to open the socket.
RUN install -d -o 1000 -g 1000 -m 0700 /run/qemu
USER 1000:1000
ENTRYPOINT ["/bin/sh", "-c", "exec qemu-system-x86_64 -name \"$0\" -nodefaults -no-user-config -display none -machine q35 -accel tcg -m 64 -device pcie-root-port,id=rp0 -chardev socket,id=qmp0,path=/run/qemu/\"$0\".qmp,server=on,wait=off -mon chardev=qmp0,mode=control"]
CMD ["demo-1"]
