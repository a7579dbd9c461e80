# The release phase: says where it runs.
echo "release phase of ${DYNO:-no dyno}, colour ${COLOUR:-none}"
