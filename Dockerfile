# audioclust with the build of torch for processors alone, and the weights of the encoders.
#   docker build --tag audioclust .
#   docker run --rm --volume "$PWD:/data" audioclust cluster calls --out runs/calls
FROM python:3.12-slim
COPY . /src
RUN pip install --no-cache-dir uv \
 && uv pip install --system --no-cache --torch-backend cpu --constraint /src/constraints.txt /src \
 && audioclust encoders --install \
 && rm -rf /src
ENV HOME=/tmp
WORKDIR /data
# what is written belongs to the owner of the folder that is mounted here; docker run --user names another
ENTRYPOINT ["sh", "-c", "[ $(id -u) = 0 ] || exec audioclust \"$@\"; exec setpriv --reuid $(stat -c %u .) --regid $(stat -c %g .) --clear-groups audioclust \"$@\"", "audioclust"]
