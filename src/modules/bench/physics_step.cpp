// physics_step.cpp - benchmark: balls in a box under gravity, some of them joined by springs, that
// bounce off the walls and off each other without loss. Unit of work: steps of velocity Verlet
// (Swope et al. 1982) with all pairs looked at for collisions.
//
// The motion conserves energy, which is what each call checks besides the checksum: FNV-1a over
// positions and velocities, the same on every processor, since each operation is rounded once and
// in the order that is written here. tests/host/test_physics_step.py calculates the same in numpy.
#include <new>

#include "fluid/module.h"
#include "mix.h"
#include "sizes.h"

namespace {

constexpr unsigned balls = 64, columns = 8, chain = 8; // balls of a chain are joined
constexpr float time_step = 1.0f / 1024, half_step = time_step / 2;
constexpr float box = 16, radius = 0.25f, contact = 4 * radius * radius; // squared distance
constexpr float gravity = 9.8125f, stiffness = 64, rest_length = 0.75f;
constexpr float drift_limit = 0.01f; // of the energy, in one call
constexpr unsigned poll_steps = 8;

struct Vector {
    float x, y;
};

// What accelerates the balls, all of mass 1.
class Force {
  public:
    virtual ~Force() = default;
    virtual void accelerate(const Vector *position, Vector *acceleration) const = 0;
    virtual float energy(const Vector *position) const = 0;
};

class Gravity final : public Force {
  public:
    void accelerate(const Vector *, Vector *acceleration) const override {
        for (unsigned i = 0; i < balls; i++)
            acceleration[i].y -= gravity;
    }

    float energy(const Vector *position) const override {
        float sum = 0;
        for (unsigned i = 0; i < balls; i++)
            sum += gravity * position[i].y;
        return sum;
    }
};

class Springs final : public Force {
  public:
    void accelerate(const Vector *position, Vector *acceleration) const override {
        for (unsigned i = 0; i + 1 < balls; i++) {
            if (i % chain == chain - 1)
                continue;
            float x = position[i + 1].x - position[i].x, y = position[i + 1].y - position[i].y;
            float length = __builtin_sqrtf(x * x + y * y);
            float pull = stiffness * (length - rest_length) / length;
            acceleration[i].x += pull * x;
            acceleration[i].y += pull * y;
            acceleration[i + 1].x -= pull * x;
            acceleration[i + 1].y -= pull * y;
        }
    }

    float energy(const Vector *position) const override {
        float sum = 0;
        for (unsigned i = 0; i + 1 < balls; i++) {
            if (i % chain == chain - 1)
                continue;
            float x = position[i + 1].x - position[i].x, y = position[i + 1].y - position[i].y;
            float longer = __builtin_sqrtf(x * x + y * y) - rest_length;
            sum += stiffness / 2 * longer * longer;
        }
        return sum;
    }
};

class World {
  public:
    World() : forces_{new(std::nothrow) Gravity, new(std::nothrow) Springs} {
    }

    ~World() {
        for (Force *force : forces_)
            delete force;
    }

    World(const World &) = delete;
    World &operator=(const World &) = delete;

    bool complete() const {
        return forces_[0] != nullptr && forces_[1] != nullptr;
    }

    // A grid of balls whose velocities come from a seed of which the compiler knows nothing.
    void reset() {
        uint32_t random = mix_seed();
        for (unsigned i = 0; i < balls; i++) {
            position_[i] = {4.5f + static_cast<float>(i % columns),
                            4.5f + static_cast<float>(i / columns)};
            velocity_[i].x = draw(random);
            velocity_[i].y = draw(random);
        }
        accelerate();
    }

    void step() {
        for (unsigned i = 0; i < balls; i++) {
            velocity_[i].x += acceleration_[i].x * half_step;
            velocity_[i].y += acceleration_[i].y * half_step;
            position_[i].x += velocity_[i].x * time_step;
            position_[i].y += velocity_[i].y * time_step;
        }
        accelerate();
        for (unsigned i = 0; i < balls; i++) {
            velocity_[i].x += acceleration_[i].x * half_step;
            velocity_[i].y += acceleration_[i].y * half_step;
            bounce(position_[i].x, velocity_[i].x);
            bounce(position_[i].y, velocity_[i].y);
        }
        for (unsigned i = 0; i < balls; i++)
            for (unsigned j = i + 1; j < balls; j++)
                collide(i, j);
    }

    float energy() const {
        float sum = 0;
        for (unsigned i = 0; i < balls; i++)
            sum += (velocity_[i].x * velocity_[i].x + velocity_[i].y * velocity_[i].y) / 2;
        for (const Force *force : forces_)
            sum += force->energy(position_);
        return sum;
    }

    uint32_t checksum() const {
        uint32_t sum = MIX_START;
        for (unsigned i = 0; i < balls; i++) {
            const float values[] = {position_[i].x, position_[i].y, velocity_[i].x, velocity_[i].y};
            sum = mix_floats(sum, values, 4);
        }
        return sum;
    }

  private:
    // -4 .. 4
    static float draw(uint32_t &random) {
        return mix_draw_float(&random) * 4;
    }

    static void bounce(float position, float &velocity) {
        if ((position < radius && velocity < 0) || (position > box - radius && velocity > 0))
            velocity = -velocity;
    }

    void accelerate() {
        for (Vector &acceleration : acceleration_)
            acceleration = {0, 0};
        for (const Force *force : forces_)
            force->accelerate(position_, acceleration_);
    }

    // Balls that touch and come closer exchange their velocities along the line between them.
    void collide(unsigned i, unsigned j) {
        float x = position_[j].x - position_[i].x, y = position_[j].y - position_[i].y;
        float distance = x * x + y * y;
        if (distance >= contact || distance == 0)
            return;
        float closing =
            (velocity_[i].x - velocity_[j].x) * x + (velocity_[i].y - velocity_[j].y) * y;
        if (closing <= 0)
            return;
        float part = closing / distance;
        velocity_[i].x -= part * x;
        velocity_[i].y -= part * y;
        velocity_[j].x += part * x;
        velocity_[j].y += part * y;
    }

    Vector position_[balls], velocity_[balls], acceleration_[balls];
    Force *forces_[2];
};

constexpr bench_sizes sizes = {
    "steps", 1, {{16, 0x69709b6e}, {128, 0xd669cc58}, {1024, 0x4c70c2cd}}};

bool keeps_energy(float before, float after) {
    float drift = after - before;
    return drift < drift_limit * before && drift > -drift_limit * before;
}

} // namespace

extern "C" {
FLUID_EXPORT bench_open_fn bench_physics_step_open;
FLUID_EXPORT bench_call_fn bench_physics_step_call;
FLUID_EXPORT bench_close_fn bench_physics_step_close;
}

int bench_physics_step_open(struct fluid_bench *bench, uint64_t size, struct fluid_error *err) {
    if (bench_choose(bench, &sizes, size, err) != 0)
        return -1;
    World *world = new (std::nothrow) World;
    if (world == nullptr || !world->complete()) {
        delete world;
        return fluid_fail(err, "E-BENCH-04",
                          "%zu bytes of memory expected for the balls, not available",
                          sizeof(World));
    }
    bench->work = world;
    return 0;
}

uint32_t bench_physics_step_call(const struct fluid_bench *bench) {
    World *world = static_cast<World *>(bench->work);
    world->reset();
    float before = world->energy();
    for (uint64_t step = 0; step < bench->size; step++) {
        world->step();
        if (step % poll_steps == 0 && fluid_poll())
            return 0;
    }
    return keeps_energy(before, world->energy()) ? world->checksum() : ~bench->checksum;
}

void bench_physics_step_close(struct fluid_bench *bench) {
    delete static_cast<World *>(bench->work);
}
