# The sync server in a container. Build: docker build -t cardferry . Run:
#
#	docker run -p 8080:8080 -v cardferry:/data cardferry
#	echo PASSWORD | docker run -i --rm -v cardferry:/data cardferry user add --data /data NAME
#
# Put a proxy with TLS before it, or mount certificates and add --tls-cert and --tls-key: pages need HTTPS.
FROM node:22-bookworm-slim AS node

FROM golang:1.26-bookworm AS build
# The app is built with Node.
COPY --from=node /usr/local/bin /usr/local/bin
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# Without cgo the program needs no library of a system. The empty folder is for a volume that its user may write.
RUN CGO_ENABLED=0 make build/cardferry && mkdir /data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /src/build/cardferry /cardferry
COPY --from=build --chown=nonroot:nonroot /data /data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["/cardferry"]
CMD ["serve", "--addr", "0.0.0.0:8080", "--data", "/data"]
