// objects.cpp - a module in C++: static objects, virtual functions, templates, new and delete. It
// notes in which order its objects come and go.
#include <new>

#include "fluid/module.h"

extern "C" void host_note(const char *what, int number);

namespace {

class Shape {
  public:
    explicit Shape(int size) : size_(size) {
    }
    virtual ~Shape() {
        host_note("shape gone", size_);
    }
    virtual int area() const = 0;

  protected:
    int size_;
};

class Square final : public Shape {
  public:
    using Shape::Shape;
    ~Square() override {
        host_note("square gone", size_);
    }
    int area() const override {
        return size_ * size_;
    }
};

struct Noted {
    explicit Noted(int number) : number(number) {
        host_note("here", number);
    }
    ~Noted() {
        host_note("gone", number);
    }
    int number;
};

__attribute__((init_priority(300))) Noted second(2);
__attribute__((init_priority(200))) Noted first(1);
Noted third(3);

struct alignas(64) Wide {
    char bytes[64];
};

template <typename T> T sum(const T *values, unsigned count) {
    T total{};
    for (unsigned i = 0; i < count; i++)
        total += values[i];
    return total;
}

// Calls its own pure virtual function while it is being constructed.
class Early {
  public:
    Early() {
        call();
    }
    virtual ~Early() = default;
    virtual int late() = 0;

  private:
    __attribute__((noinline)) void call() {
        late();
    }
};

class Late final : public Early {
  public:
    int late() override {
        return 1;
    }
};

} // namespace

extern "C" {
FLUID_EXPORT int objects_virtual() {
    Shape *shape = new Square(7);
    int area = shape->area();
    delete shape;
    return area;
}

FLUID_EXPORT int objects_local() {
    static Noted local(4);
    return local.number++;
}

FLUID_EXPORT int objects_arrays() {
    int *values = new int[100];
    for (int i = 0; i < 100; i++)
        values[i] = i;
    int total = sum(values, 100);
    delete[] values;
    alignas(Noted) char place[sizeof(Noted)];
    Noted *noted = new (place) Noted(total);
    total = noted->number;
    noted->~Noted();
    auto *wide = new Wide;
    bool aligned = reinterpret_cast<__UINTPTR_TYPE__>(wide) % 64 == 0;
    delete wide;
    return aligned ? total : -1;
}

FLUID_EXPORT int objects_refused() {
    int *none = new (std::nothrow) int[1u << 29];
    return none == nullptr;
}

FLUID_EXPORT int objects_no_memory() {
    return *new int[1u << 29];
}

FLUID_EXPORT int objects_pure() {
    Late late;
    return late.late();
}
}
